import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpoolService } from '../../src/platform/spool/spool.service.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { expectToMatchOpenApi } from '../support/openapi.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';
import { eventually } from '../support/until.ts';

const PREVIOUS_SECRET = 'the-previous-secret-of-the-tests';
const ORDER_CREATED = '/api/payment/internal/order-created';
const NOTIFY = '/api/payment/internal/notify';
const REPEATS = 5;

let database: TestDatabase;
let backend: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database, { INTERNAL_API_SECRET_PREVIOUS: PREVIOUS_SECRET });
  await backend.whenAvailable();
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

async function countStored(outTradeNo: string): Promise<number> {
  const [row] = await database.query<{ n: string | number }>(
    'SELECT COUNT(*) AS n FROM inbox_messages WHERE out_trade_no = ?',
    [outTradeNo],
  );
  const { depth, setAside } = await backend.app.get(SpoolService).stats();
  return Number(row?.n) + depth + setAside;
}

// Prevents a change of what the deployed callers read: they compare status and fields, and nobody redeploys them for us.
describe('POST /api/payment/internal/order-created', () => {
  it('answers the contract’s own example to the letter', async () => {
    const answer = await backend.post('order-created', {
      orderId: 'order-1706345678901-abc123',
      outTradeNo: '170634567890112345',
      userId: 'user-1706345678901-xyz789',
      openid: 'oABC123xyz456',
      amount: 2990,
      packageType: 'premium',
      tradeType: 'JSAPI',
      status: 'pending',
      reason: 'db_unavailable',
      dbError: 'Connection timeout',
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      '{"success":true,"message":"订单已备份","orderId":"order-1706345678901-abc123"}',
    );
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('gives an order without an id the same id on every repeat, in the callers’ shape', async () => {
    const body = orderCreatedBody({ orderId: undefined, reason: 'db_exception' });
    const ids = new Set<string>();
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      // The reason and the error of a repeat differ: that makes no other order of it.
      const { body: answer } = await backend
        .post('order-created', { ...body, reason: `db_exception_${repeat}` })
        .expect(200);
      ids.add(answer.orderId);
    }
    expect([...ids]).toEqual([
      expect.stringMatching(new RegExp(`^order-${body.outTradeNo.slice(0, 13)}-[0-9a-z]{1,12}$`)),
    ]);
    expect(await countStored(body.outTradeNo)).toBe(1);
    await eventually(async () => {
      const rows = await database.query('SELECT id FROM payment_orders WHERE out_trade_no = ?', [
        body.outTradeNo,
      ]);
      expect(rows).toEqual([{ id: [...ids][0] }]);
    });
  });

  it('gives repeats, also concurrent ones, the answer of the first', async () => {
    const body = orderCreatedBody();
    const { text: first } = await backend.post('order-created', body).expect(200);
    const copies = Array.from({ length: REPEATS }, () => backend.post('order-created', body).expect(200));
    for (const { text } of await Promise.all(copies)) expect(text).toBe(first);
    expect(await countStored(body.outTradeNo)).toBe(1);
  });
});

describe('POST /api/payment/internal/notify', () => {
  it('answers the contract’s own example to the letter', async () => {
    const answer = await backend.post('notify', {
      outTradeNo: '170634567890112345',
      transactionId: '4200001234567890123456789012345',
      status: 'paid',
      packageType: 'premium',
      generationId: 'gen-1706345678901-def456',
      openid: 'oABC123xyz456',
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"success":true,"message":"处理成功"}');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('answers the same before its order, for it, and long after it was granted', async () => {
    const order = orderCreatedBody();
    const notice = notifyBody(order);
    const texts = [(await backend.post('notify', notice).expect(200)).text];
    await backend.post('order-created', order).expect(200);
    await eventually(async () => {
      const grants = await database.query('SELECT id FROM entitlement_grants WHERE out_trade_no = ?', [
        order.outTradeNo,
      ]);
      expect(grants).toHaveLength(1);
    });
    for (let repeat = 0; repeat < REPEATS; repeat += 1)
      texts.push((await backend.post('notify', notice).expect(200)).text);
    expect(new Set(texts)).toEqual(new Set(['{"success":true,"message":"处理成功"}']));
  });
});

describe('GET /api/prices/current', () => {
  it('answers prices in yuan as JSON numbers, and times as the contract writes them', async () => {
    const answer = await backend.http().get('/api/prices/current').expect(200);
    expect(answer.text).toMatch(
      /^\{"success":true,"data":\{"packages":\{"basic":0\.01,"premium":29\.9\},"effectiveAt":"2026-01-27T00:00:00Z","updatedAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"\}\}$/,
    );
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toMatch(/^public, max-age=\d{1,2}$/);
  });

  it('needs no secret, and answers 304 without a body to who has it', async () => {
    const { headers } = await backend.http().get('/api/prices/current').expect(200);
    const etag = String(headers.etag);
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await backend.http().get('/api/prices/current').set('If-None-Match', known);
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', etag]);
      expect(answer.headers['cache-control']).toMatch(/max-age/);
    }
    await backend.http().get('/api/prices/current').set('If-None-Match', '"other"').expect(200);
  });
});

const UNAUTHORIZED = { success: false, error: 'Unauthorized', message: expect.any(String) };

// Prevents strangers from writing: a refused call must leave nothing behind, neither a row nor a byte in the spool (I13).
describe.each([ORDER_CREATED, NOTIFY])('the secret of %s', (path) => {
  const bodyFor = (outTradeNo: string) =>
    path === NOTIFY ? notifyBody({ outTradeNo }) : orderCreatedBody({ outTradeNo });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['a blank one', ' '],
    ['a wrong one', 'a-wrong-secret-of-some-length'],
    ['the right one in capitals', INTERNAL_SECRET.toUpperCase()],
    ['the right one and more', `${INTERNAL_SECRET}x`],
    ['a part of the right one', INTERNAL_SECRET.slice(0, -1)],
    ['the right one twice', [INTERNAL_SECRET, INTERNAL_SECRET]],
    ['a wrong one before the right one', ['wrong', INTERNAL_SECRET]],
    ['the right one before a wrong one', [INTERNAL_SECRET, 'wrong']],
  ])('refuses %s with 401 and stores nothing', async (_, secret) => {
    const outTradeNo = newOutTradeNo();
    const request = backend.http().post(path);
    // Lists become repeated headers on the wire.
    if (secret !== undefined) void request.set('X-Internal-Secret', secret as string);
    const answer = await request.send(bodyFor(outTradeNo));
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(UNAUTHORIZED);
    expect(await countStored(outTradeNo)).toBe(0);
  });

  it('takes no secret from the address or the body', async () => {
    const outTradeNo = newOutTradeNo();
    const body = { ...bodyFor(outTradeNo), 'x-internal-secret': INTERNAL_SECRET, secret: INTERNAL_SECRET };
    const query = `?x-internal-secret=${INTERNAL_SECRET}&secret=${INTERNAL_SECRET}`;
    const answer = await backend
      .http()
      .post(path + query)
      .send(body);
    expect(answer.status).toBe(401);
    expect(await countStored(outTradeNo)).toBe(0);
  });

  it('may be the previous one while a rotation is under way', async () => {
    const outTradeNo = newOutTradeNo();
    await backend
      .http()
      .post(path)
      .set('X-Internal-Secret', PREVIOUS_SECRET)
      .send(bodyFor(outTradeNo))
      .expect(200);
    expect(await countStored(outTradeNo)).toBe(1);
  });
});

describe('every answer', () => {
  it('carries a request id: the caller’s when it is harmless, else a new one', async () => {
    const given = await backend.http().get('/api/prices/current').set('X-Request-Id', 'scf-0123.abc_DEF');
    expect(given.headers['x-request-id']).toBe('scf-0123.abc_DEF');
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const none = await backend.http().post(NOTIFY).send({});
    expect(none.headers['x-request-id']).toMatch(uuid);
    for (const harmful of ['a b', 'a"b', `${'x'.repeat(65)}`, '{"level":60}']) {
      const answer = await backend.http().get('/api/prices/current').set('X-Request-Id', harmful);
      expect(answer.headers['x-request-id']).toMatch(uuid);
    }
  });

  it.each([
    ['GET', '/'],
    ['GET', '/api/payment/internal/notify'],
    ['PUT', '/api/payment/internal/order-created'],
    ['DELETE', '/api/prices/current'],
    ['POST', '/api/payment/internal/unknown'],
    ['GET', '/api/prices/current/..%2f..%2fetc'],
    ['GET', '/%00'],
  ])('is the 404 envelope for %s %s', async (method, path) => {
    const request = backend.http()[method.toLowerCase() as 'get'](path);
    const answer = await (method === 'POST' || method === 'PUT' ? request.send({}) : request);
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ success: false, error: 'not_found', message: expect.any(String) });
  });
});

describe('without any database', () => {
  // Prevents an orchestrator from killing the one process that still takes orders, because its database is away.
  it('is live, answers the documented prices, and says by /health/ready what is missing', async () => {
    const alone = await startApplication(database, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    try {
      const live = await alone.http().get('/health/live').expect(200);
      expect(live.body).toEqual({ status: 'live' });
      const prices = await alone.http().get('/api/prices/current').expect(200);
      expect(prices.body.data.packages).toEqual({ basic: 0.01, premium: 29.9 });
      expect(prices.body.data.effectiveAt).toBe('2026-01-27T00:00:00Z');
      const ready = await alone.http().get('/health/ready').expect(200);
      expect(ready.body).toMatchObject({
        status: 'degraded',
        database: { state: 'connecting' },
        spool: { state: 'open', depth: 0 },
        inbox: null,
      });
    } finally {
      await alone.stop();
    }
  });
});

// Prevents the published document from promising what the backend does not do, and the other way round.
describe('docs/openapi.json describes', () => {
  const secret = (request: ReturnType<typeof backend.post>) =>
    request.set('X-Internal-Secret', INTERNAL_SECRET);

  it('what the cloud functions are answered, and refused', async () => {
    const order = orderCreatedBody();
    expectToMatchOpenApi(await backend.post('order-created', order).expect(200));
    expectToMatchOpenApi(await backend.post('notify', notifyBody(order)).expect(200));
    expectToMatchOpenApi(await backend.post('notify', {}).expect(400));
    expectToMatchOpenApi(await backend.post('notify', { x: 'x'.repeat(20_000) }).expect(413));
    expectToMatchOpenApi(await backend.http().post(NOTIFY).send({}).expect(401));
    const status = `/api/payment/orders/${order.outTradeNo}/status`;
    await eventually(async () => expectToMatchOpenApi(await secret(backend.http().get(status)).expect(200)));
    expectToMatchOpenApi(await secret(backend.http().get('/api/payment/orders/4711/status')).expect(404));
    expectToMatchOpenApi(await secret(backend.http().get('/api/payment/orders/%20/status')).expect(400));
  });

  it('prices and health', async () => {
    const prices = await backend.http().get('/api/prices/current').expect(200);
    expectToMatchOpenApi(prices);
    const same = backend.http().get('/api/prices/current').set('If-None-Match', String(prices.headers.etag));
    expectToMatchOpenApi(await same.expect(304));
    for (const path of ['live', 'ready'])
      expectToMatchOpenApi(await backend.http().get(`/health/${path}`).expect(200));
  });

  it('what WeChat Pay reads', async () => {
    for (const path of ['callback', 'refund-callback'])
      expectToMatchOpenApi(await backend.http().post(`/api/payment/${path}`).send({}).expect(503));
  });
});
