import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { may, ROLES } from '../../src/admin/permissions.js';
import type { Permission, Role } from '../../src/admin/permissions.js';
import { newToken } from '../../src/admin/token-format.js';
import { RouteTable, isAdminPath } from '../../src/platform/http/route-table.js';
import type { Route } from '../../src/platform/http/route-table.js';
import { expectToMatchOpenApi } from '../support/openapi.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { adminClient, forgetRefusals, insertToken } from '../support/admin.js';
import type { TestToken } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/until.ts';

let database: TestDatabase;
let backend: TestApplication;
let tokens: Record<Role | 'expired' | 'revoked', TestToken>;
let routes: Route[];

const PAST = new Date(Date.now() - 1_000);

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
  tokens = {
    viewer: await insertToken(database, 'viewer'),
    operator: await insertToken(database, 'operator'),
    admin: await insertToken(database, 'admin'),
    expired: await insertToken(database, 'admin', { expires_at: PAST }),
    revoked: await insertToken(database, 'admin', { revoked_at: PAST }),
  };
  routes = backend.app.get(RouteTable).routes.filter(({ url }) => isAdminPath(url));
});

beforeEach(() => forgetRefusals(backend));

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

const UNAUTHORIZED = { success: false, error: 'Unauthorized', message: expect.any(String) };
const FORBIDDEN = { success: false, error: 'forbidden', message: expect.any(String) };

/** Everything an admin route could change. What jobs write all the time, and the last use of tokens, is not in it. */
async function stateOfTables(): Promise<unknown> {
  const tables = await database.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT IN ('job_leases', 'admin_tokens') ORDER BY 1`,
  );
  const checksums = await database.query(
    `CHECKSUM TABLE ${tables.map(({ name }) => `\`${name}\``).join(', ')} EXTENDED`,
  );
  return [
    checksums,
    await database.query('SELECT id, name, role, expires_at, revoked_at FROM admin_tokens ORDER BY id'),
  ];
}

/** Whatever the route does with parameters, no request of these gets so far. */
function send(route: Route, authorization?: string | string[]) {
  const path = route.url.replace(/:[A-Za-z]+/g, '1');
  const request = backend.http()[route.method.toLowerCase() as 'get'](path);
  // Lists become repeated headers on the wire.
  if (authorization !== undefined) void request.set('Authorization', authorization as string);
  return ['GET', 'HEAD'].includes(route.method) ? request : request.send({});
}

const bearer = (token: string) => `Bearer ${token}`;

const REFUSED: [string, () => string | string[] | undefined][] = [
  ['no token', () => undefined],
  ['an empty header', () => ''],
  ['a blank token', () => 'Bearer '],
  ['a wrong token', () => bearer(newToken())],
  ['a token of another scheme', () => `Basic ${tokens.admin.token}`],
  ['the token without a scheme', () => tokens.admin.token],
  ['a part of the token', () => bearer(tokens.admin.token.slice(0, -1))],
  ['the token in capitals', () => bearer(tokens.admin.token.toUpperCase())],
  ['the right token twice', () => [bearer(tokens.admin.token), bearer(tokens.admin.token)]],
  ['the right token before a wrong one', () => [bearer(tokens.admin.token), bearer(newToken())]],
  ['a wrong token before the right one', () => [bearer(newToken()), bearer(tokens.admin.token)]],
  ['an expired token', () => bearer(tokens.expired.token)],
  ['a revoked token', () => bearer(tokens.revoked.token)],
];

// Prevents a route that somebody adds in a hurry from being open to everybody, or to every operator (I18).
describe('every route under /api/admin', () => {
  it('is in the router, and declares a permission', () => {
    expect(routes.length).toBeGreaterThan(3);
    expect(routes.filter(({ permission }) => permission === undefined)).toEqual([]);
  });

  it.each(REFUSED)('refuses %s in one way, and changes nothing', async (_, authorization) => {
    const before = await stateOfTables();
    for (const route of routes) {
      forgetRefusals(backend);
      const answer = await send(route, authorization());
      const where = `${route.method} ${route.url}`;
      expect([where, answer.status]).toEqual([where, 401]);
      if (route.method !== 'HEAD') {
        expect([where, answer.body]).toEqual([where, UNAUTHORIZED]);
        expectToMatchOpenApi(answer);
      }
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect(await stateOfTables()).toEqual(before);
  });

  it('gives all of these the same answer, so that none tells which tokens exist', async () => {
    const bodies = new Set<string>();
    for (const [, authorization] of REFUSED) {
      const answer = await backend
        .http()
        .get('/api/admin/tokens')
        .set('Authorization', (authorization() ?? '') as string);
      bodies.add(answer.text);
    }
    expect(bodies.size).toBe(1);
  });

  it.each(ROLES)('refuses the role %s what it may not, and changes nothing', async (role) => {
    const before = await stateOfTables();
    const closed = routes.filter(({ permission }) => !may(role, permission as Permission));
    for (const route of closed) {
      const answer = await send(route, bearer(tokens[role].token));
      const where = `${route.method} ${route.url}`;
      expect([where, answer.status]).toEqual([where, 403]);
      if (route.method !== 'HEAD') {
        expect([where, answer.body]).toEqual([where, FORBIDDEN]);
        expectToMatchOpenApi(answer);
      }
    }
    expect(closed.length > 0).toBe(role !== 'admin');
    expect(await stateOfTables()).toEqual(before);
  });

  it.each(ROLES)('lets the role %s in where it may', async (role) => {
    for (const route of routes.filter(({ permission }) => may(role, permission as Permission))) {
      // Bodies are empty and ids made up: what counts here is only that the guard is passed.
      const answer = await send(route, bearer(tokens[role].token));
      expect([route.url, [401, 403, 429].includes(answer.status)]).toEqual([route.url, false]);
      // Nobody is there to ask about an order here, which the route may say.
      const isSound = answer.status < 500 || answer.body.error === 'wechatpay_not_configured';
      expect([route.url, isSound]).toEqual([route.url, true]);
      if (route.method !== 'HEAD') expectToMatchOpenApi(answer);
    }
  });

  it('takes no token from the address, the body or a cookie', async () => {
    const { token } = tokens.admin;
    const answer = await backend
      .http()
      .post(`/api/admin/tokens?access_token=${token}&token=${token}&authorization=Bearer%20${token}`)
      .set('Cookie', `token=${token}`)
      .set('X-Internal-Secret', backend.config.internalSecrets[0] ?? '')
      .send({ token, name: 'x', role: 'admin' });
    expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
  });
});

describe('a token', () => {
  it('that is revoked is refused by the next request, on every replica', async () => {
    const other = await startApplication(database);
    try {
      await other.whenAvailable();
      const { id, token } = await insertToken(database, 'admin');
      for (const replica of [backend, other])
        await adminClient(replica, { token }).get('/tokens').expect(200);
      await adminClient(backend, tokens.admin).post(`/tokens/${id}/revoke`).expect(200);
      for (const replica of [backend, other])
        await adminClient(replica, { token }).get('/tokens').expect(401);
    } finally {
      await other.stop();
    }
  });

  it('is noted as used, at most once a minute', async () => {
    const { id, token } = await insertToken(database, 'admin');
    const lastUse = async () => {
      const [row] = await database.query<{ last_used_at: Date | null }>(
        'SELECT last_used_at FROM admin_tokens WHERE id = ?',
        [id],
      );
      return row?.last_used_at?.getTime() ?? 0;
    };
    const use = () => adminClient(backend, { token }).get('/tokens').expect(200);
    await use();
    await eventually(async () => expect(await lastUse()).toBeGreaterThan(Date.now() - 10_000));
    const half = new Date(Date.now() - 30_000);
    await database.query('UPDATE admin_tokens SET last_used_at = ? WHERE id = ?', [half, id]);
    await use();
    const long = new Date(Date.now() - 61_000);
    expect(await lastUse()).toBe(half.getTime());
    await database.query('UPDATE admin_tokens SET last_used_at = ? WHERE id = ?', [long, id]);
    await use();
    await eventually(async () => expect(await lastUse()).toBeGreaterThan(Date.now() - 10_000));
  });
});

describe('without the database', () => {
  // Prevents operators from believing in the middle of an outage that their tokens were taken away.
  it('a token gets 503 with Retry-After, and no token still gets 401', async () => {
    const alone = await startApplication(database, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    try {
      const answer = await adminClient(alone, tokens.admin).get('/tokens');
      expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expectToMatchOpenApi(answer);
      await alone.http().get('/api/admin/tokens').expect(401);
    } finally {
      await alone.stop();
    }
  });

  it('that stalls, a token gets 503 in time, and is let in again afterwards', async () => {
    const { DB_HOST, DB_PORT } = database.env;
    const proxy = await TcpProxy.start({ host: DB_HOST, port: Number(DB_PORT) });
    const stalled = await startApplication(database, proxy.env);
    try {
      await stalled.whenAvailable();
      const admin = adminClient(stalled, tokens.admin);
      await admin.get('/tokens').expect(200);
      proxy.stall();
      const startedMs = performance.now();
      const answers = await Promise.all(Array.from({ length: 8 }, () => admin.get('/tokens')));
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(503));
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      await proxy.pass();
      await eventually(async () => expect((await admin.get('/tokens')).status).toBe(200));
    } finally {
      await stalled.stop();
      await proxy.close();
    }
  });
});
