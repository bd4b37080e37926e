import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppConfig } from '../../src/platform/config/app-config.js';
import { AppLogger } from '../../src/platform/logging/app-logger.js';
import { adminClient, forgetRefusals, insertToken } from '../support/admin.js';
import type { TestToken } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { expectToMatchOpenApi } from '../support/openapi.js';
import { compiledRoot } from '../support/process.js';

const DAY_MS = 86_400_000;

/** Keeps what would be written, to look for tokens in it. */
const logged: string[] = [];
class KeptLogger extends AppLogger {
  override info(event: string, fields = {}): void {
    logged.push(JSON.stringify({ event, ...fields }));
  }
  override warned(event: string, fields = {}): void {
    logged.push(JSON.stringify({ event, ...fields }));
  }
  override failed(event: string, error: unknown, fields = {}): void {
    logged.push(JSON.stringify({ event, error: String(error), ...fields }));
  }
}

let database: TestDatabase;
let backend: TestApplication;
let boss: TestToken;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(
    database,
    { TRUST_PROXY_HOPS: '1' },
    {
      logger: (config: AppConfig) => new KeptLogger(config),
    },
  );
  await backend.whenAvailable();
  boss = await insertToken(database, 'admin', { name: 'boss' });
});

beforeEach(() => forgetRefusals(backend));

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

const asBoss = () => adminClient(backend, boss);
const auditOf = (targetId: string) =>
  database.query('SELECT * FROM audit_logs WHERE target_id = ? ORDER BY id', [targetId]);

describe('tokens over HTTP', () => {
  it('are shown once when made, stored as a hash, and audited with their maker and request', async () => {
    const made = await asBoss()
      .post('/tokens', { name: 'anna', role: 'operator', expiresInDays: 30 })
      .set('X-Request-Id', 'request-of-this-test')
      .set('X-Forwarded-For', '203.0.113.9, 198.51.100.7');
    expect(made.status).toBe(201);
    expectToMatchOpenApi(made);
    const { id, token, expiresAt } = made.body.data;
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(29.9 * DAY_MS);
    const [row] = await database.query('SELECT * FROM admin_tokens WHERE id = ?', [id]);
    expect(JSON.stringify(row)).not.toContain(token);
    expect(await auditOf(id)).toEqual([
      expect.objectContaining({
        actor: 'admin:boss',
        action: 'admin_token.created',
        request_id: 'request-of-this-test',
        source_ip: '198.51.100.7',
      }),
    ]);
    await adminClient(backend, { token }).get('/audit').expect(200);
    await adminClient(backend, { token }).get('/tokens').expect(403);
  });

  it('are listed page by page, the newest first, without their secrets', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await asBoss().post('/tokens', { name, role: 'viewer' });
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await asBoss().get(`/tokens?limit=2${query}`).expect(200);
      expectToMatchOpenApi(page);
      expect(page.text).not.toMatch(/wxadm_|hash/);
      names.push(...page.body.data.map(({ name }: { name: string }) => name));
      cursor = page.body.nextCursor;
    }
    expect(names.slice(0, 3)).toEqual(['page-3', 'page-2', 'page-1']);
    const rows = await database.query('SELECT id FROM admin_tokens');
    expect(names).toHaveLength(rows.length);
  });

  it('are revoked once: a repeat changes nothing, also in the audit log', async () => {
    const { id } = await insertToken(database, 'viewer', { name: 'gone' });
    const answers = [];
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const answer = await asBoss().post(`/tokens/${id}/revoke`).expect(200);
      expectToMatchOpenApi(answer);
      answers.push(answer.text);
    }
    expect(answers[0]).toBe(answers[1]);
    expect(await auditOf(id)).toHaveLength(1);
    expectToMatchOpenApi(await asBoss().post('/tokens/token-unknown/revoke').expect(404));
  });

  it.each([
    ['name', { role: 'viewer' }],
    ['name', { name: 'with space', role: 'viewer' }],
    ['role', { name: 'x', role: 'boss' }],
    ['role', { name: 'x', role: ['admin'] }],
    ['expiresInDays', { name: 'x', role: 'viewer', expiresInDays: 0 }],
    ['expiresInDays', { name: 'x', role: 'viewer', expiresInDays: 367 }],
    ['token', { name: 'x', role: 'viewer', token: 'wxadm_mine' }],
    ['createdBy', { name: 'x', role: 'viewer', createdBy: 'nobody' }],
  ])('are refused for %s with 400, and nothing is stored: %j', async (field, body) => {
    const before = await database.query('SELECT COUNT(*) AS n FROM admin_tokens');
    const answer = await asBoss().post('/tokens', body);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    expect(answer.body.message).toContain(field);
    expect(await database.query('SELECT COUNT(*) AS n FROM admin_tokens')).toEqual(before);
  });

  it.each([
    ['limit', 'limit=0'],
    ['limit', 'limit=201'],
    ['limit', 'limit=1&limit=2'],
    ['cursor', 'cursor=made-up'],
    ['cursor', 'cursor='],
    ['order', 'order=name'],
  ])('are listed only with a right %s: %s', async (field, query) => {
    const answer = await asBoss().get(`/tokens?${query}`);
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(field)]);
  });
});

describe('the audit log over HTTP', () => {
  it('is filtered, paged and never changed', async () => {
    for (let n = 0; n < 3; n += 1) await asBoss().post('/tokens', { name: `audited-${n}`, role: 'viewer' });
    const all = await asBoss()
      .get('/audit?action=admin_token.created&actor=admin:boss&limit=200')
      .expect(200);
    expectToMatchOpenApi(all);
    expect(all.body.data.length).toBeGreaterThanOrEqual(3);
    const [newest] = all.body.data;
    expect(newest).toMatchObject({ after: { name: 'audited-2', role: 'viewer' }, targetType: 'admin_token' });
    const one = await asBoss().get(`/audit?targetType=admin_token&targetId=${newest.targetId}`).expect(200);
    expect(one.body.data).toEqual([newest]);
    const first = await asBoss().get('/audit?action=admin_token.created&limit=1').expect(200);
    const second = await asBoss()
      .get(`/audit?action=admin_token.created&limit=1&cursor=${first.body.nextCursor}`)
      .expect(200);
    expect([...first.body.data, ...second.body.data]).toEqual(all.body.data.slice(0, 2));
    const from = encodeURIComponent(new Date(Date.parse(newest.occurredAt) + 1).toISOString());
    const later = await asBoss().get(`/audit?from=${from}`).expect(200);
    expect(later.body).toEqual({ success: true, data: [], nextCursor: null });
    const earlier = await asBoss().get(`/audit?to=2020-01-01T00:00:00Z`).expect(200);
    expect(earlier.body.data).toEqual([]);
    for (const method of ['put', 'patch', 'delete', 'post'] as const) {
      const http = backend.http();
      const request = http[method](`/api/admin/audit/${newest.id}`);
      await request.set('Authorization', `Bearer ${boss.token}`).expect(404);
    }
  });
});

// Prevents a typing error, or somebody who guesses behind the same proxy, from locking the operators out.
describe('tries without a valid token', () => {
  const from = (ip: string, token?: string) => {
    const request = backend.http().get('/api/admin/tokens').set('X-Forwarded-For', ip);
    return token === undefined ? request : request.set('Authorization', `Bearer ${token}`);
  };
  const exhaust = async (ip: string) => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 25; tries += 1) statuses.push((await from(ip)).status);
    return statuses;
  };

  it('are answered 429 beyond their budget, while a valid token passes from the same address', async () => {
    const statuses = await exhaust('192.0.2.10');
    expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
    const refused = await from('192.0.2.10');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expectToMatchOpenApi(refused);
    await from('192.0.2.10', boss.token).expect(200);
    await from('192.0.2.11').expect(401);
  });

  it('count by the address the proxy saw, whatever the caller wrote before it', async () => {
    await exhaust('192.0.2.20');
    await from('203.0.113.1, 192.0.2.20').expect(429);
  });

  it('and successes leave no token in the log', async () => {
    const guessed = 'wxadm_CANARY-0123456789abcdefghijklmnopqrstuvwxyz';
    await from('192.0.2.30', guessed);
    await from('192.0.2.30', boss.token);
    forgetRefusals(backend);
    const lines = logged.join('\n');
    expect(lines).toContain('http.access_refused');
    expect(lines).toContain('/api/admin/tokens');
    expect(lines).not.toMatch(/wxadm_|CANARY/);
  });
});

describe('npm run admin', () => {
  type Run = { code: number; out: string; told: string };
  const run = async (args: string[], env: Record<string, string> = database.env): Promise<Run> => {
    const entry = join(await compiledRoot(), 'src', 'admin-cli.js');
    return new Promise((resolve) => {
      // Only the database: it needs neither the secret nor anything else of the backend.
      execFile(process.execPath, [entry, ...args], { env }, (error, out, told) =>
        resolve({ code: error ? Number(error.code) : 0, out: out.trim(), told }),
      );
    });
  };

  it('makes a token that opens the API, lists it, and revokes it by its name', async () => {
    const made = await run(['token', 'create', '--name', 'carl', '--role', 'admin', '--expires', '30d']);
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^wxadm_[0-9A-Za-z_-]{43}$/)]);
    const carl = adminClient(backend, { token: made.out });
    await carl.get('/tokens').expect(200);
    const listed = await run(['token', 'list']);
    expect(listed.out).toMatch(/^token-\d+-[0-9a-f]+ +carl +admin +live +.* cli:\S+$/m);
    expect(listed.out).not.toContain('wxadm_');
    expect((await run(['token', 'revoke', 'carl'])).code).toBe(0);
    await carl.get('/tokens').expect(401);
    const rows = await database.query(
      "SELECT action, actor FROM audit_logs WHERE actor LIKE 'cli:%' ORDER BY id",
    );
    expect(rows.map(({ action }) => action)).toEqual(['admin_token.created', 'admin_token.revoked']);
  });

  it('takes a date, and asks which token when a name has several', async () => {
    const day = new Date(Date.now() + 10 * DAY_MS).toISOString().slice(0, 10);
    for (let copies = 0; copies < 2; copies += 1)
      expect(
        (await run(['token', 'create', '--name', 'dora', '--role', 'viewer', '--expires', day])).code,
      ).toBe(0);
    const several = await run(['token', 'revoke', 'dora']);
    expect([several.code, several.told.match(/token-\d+-[0-9a-f]+/g)?.length]).toEqual([1, 2]);
    const [row] = await database.query<{ id: string; expires_at: Date }>(
      "SELECT id, expires_at FROM admin_tokens WHERE name = 'dora'",
    );
    expect(row?.expires_at.toISOString()).toBe(`${day}T00:00:00.000Z`);
    expect((await run(['token', 'revoke', String(row?.id)])).code).toBe(0);
  });

  it.each([
    [['token', 'create', '--role', 'admin'], '--name'],
    [['token', 'create', '--name', 'x'], '--role'],
    [['token', 'create', '--name', 'x', '--role', 'boss'], '--role'],
    [['token', 'create', '--name', 'x y', '--role', 'admin'], 'name'],
    [['token', 'create', '--name', 'x', '--role', 'admin', '--expires', 'soon'], '--expires'],
    [['token', 'create', '--name', 'x', '--role', 'admin', '--expires', '2027-02-30'], '--expires'],
    [['token', 'create', '--name', 'x', '--role', 'admin', '--expires', '2020-01-01'], 'future'],
    [['token', 'create', '--name', 'x', '--role', 'admin', '--expires', '400d'], '366'],
    [['token', 'revoke'], 'ID-OR-NAME'],
    [['token', 'revoke', 'nobody'], 'no such token'],
    [['token', 'toString'], 'no command'],
    [['--unknown'], '--help'],
  ])('says what is wrong with %j', async (args, words) => {
    const { code, out, told } = await run(args);
    expect([code, out]).toEqual([1, '']);
    expect(told).toContain(words);
    expect(told).not.toMatch(/^\s+at /m);
  });

  it('explains itself without a database, and names the settings that are missing', async () => {
    const help = await run(['--help'], {});
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('token revoke')]);
    const { code, told } = await run(['token', 'list'], {});
    expect([code, told]).toEqual([1, expect.stringContaining('DB_HOST')]);
    const away = await run(['token', 'list'], { ...database.env, DB_PORT: '1' });
    expect([away.code, away.told]).toEqual([1, expect.stringContaining('cannot be reached')]);
    const empty = await createTestDatabase();
    const early = await run(['token', 'list'], empty.env).finally(() => empty.drop());
    expect([early.code, early.told]).toEqual([1, expect.stringContaining('start the backend once')]);
  });
});
