import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { readCsv } from '../support/csv.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let backend: TestApplication;
let operator: AdminClient;
let viewer: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  backend = await startApplication({ ...database, env: { ...database.env, ...proxy.env } });
  await backend.whenAvailable();
  operator = adminClient(backend, await insertToken(database, 'operator'));
  viewer = adminClient(backend, await insertToken(database, 'viewer'));
});

beforeEach(async () => {
  for (const table of ['product_order_batch_items', 'product_orders', 'audit_logs'])
    await database.query(`DELETE FROM ${table}`);
});

afterAll(async () => {
  await backend.stop();
  await proxy.close();
  await database.drop();
});

let sequence = 0;

async function insert(changes: Record<string, unknown> = {}): Promise<string> {
  sequence += 1;
  const row = {
    id: `po-${String(sequence).padStart(4, '0')}`,
    user_id: 'user-1',
    product_type: 'crystal',
    product_price: '199.00',
    shipping_name: '张小明',
    shipping_phone: '13812345678',
    shipping_address: '北京市=路1号',
    status: 'paid',
    created_at: new Date(Date.UTC(2026, 0, 10, 0, 0, Math.floor(sequence / 2))),
    ...changes,
  };
  await database.query('INSERT INTO product_orders SET ?', [row]);
  return row.id;
}

const statusOf = async (id: string) =>
  (await database.query<{ status: string }>('SELECT status FROM product_orders WHERE id = ?', [id]))[0]
    ?.status;

const actions = async () =>
  (await database.query<{ action: string }>('SELECT action FROM audit_logs ORDER BY id')).map(
    (row) => row.action,
  );

describe('product orders', () => {
  it('are listed page by page, the newest first, each once, with what is personal masked', async () => {
    const ids = [await insert(), await insert(), await insert(), await insert(), await insert()];
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
      const { body } = await viewer.get(`/product-orders?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.data.map((order: { id: string }) => order.id));
      expect(JSON.stringify(body)).not.toMatch(/13812345678|张小明|北京/);
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(ids.reverse());
  });

  it('are chosen by state, user and time', async () => {
    const paid = await insert();
    const other = await insert({
      status: 'shipped',
      user_id: 'user-2',
      created_at: new Date('2026-02-01T00:00:00Z'),
    });
    const ids = async (query: string) =>
      (await viewer.get(`/product-orders?${query}`)).body.data.map((order: { id: string }) => order.id);
    expect(await ids('status=paid')).toEqual([paid]);
    expect(await ids('userId=user-2')).toEqual([other]);
    expect(await ids('from=2026-02-01T00:00:00Z')).toEqual([other]);
    expect(await ids('to=2026-02-01T00:00:00Z')).toEqual([paid]);
  });

  it('are shown one by one', async () => {
    const id = await insert();
    const { body } = await viewer.get(`/product-orders/${id}`);
    expect(body.data).toMatchObject({
      id,
      priceFen: 19900,
      price: '199.00',
      shippingPhone: '138****5678',
      batchId: null,
    });
    expect((await viewer.get('/product-orders/nobody')).status).toBe(404);
  });

  it('go their way step by step, each step in the audit log', async () => {
    const id = await insert({ status: 'pending' });
    const become = (status: string) =>
      operator.post(`/product-orders/${id}/status`, { status, note: 'SF123' });
    expect((await become('paid')).body.data.status).toBe('paid');
    expect((await operator.post('/product-orders/export', {})).status).toBe(201);
    expect((await become('shipped')).body.data.status).toBe('shipped');
    expect((await become('delivered')).body.data.status).toBe('delivered');
    expect(await actions()).toEqual([
      'product_order.payment_recorded',
      'product_order.given_to_workshop',
      'product_order.shipped',
      'product_order.delivered',
    ]);
  });

  it.each([
    ['paid', 'shipped'],
    ['pending', 'delivered'],
    ['shipped', 'cancelled'],
    ['delivered', 'cancelled'],
    ['cancelled', 'paid'],
    ['paid', 'paid'],
  ])('that are %s do not become %s: 409, and nothing changed', async (from, to) => {
    const id = await insert({ status: from });
    const answer = await operator.post(`/product-orders/${id}/status`, { status: to });
    expect([answer.status, answer.body.error]).toEqual([409, 'state_conflict']);
    expect(await statusOf(id)).toBe(from);
    expect(await actions()).toEqual([]);
  });

  // Prevents an audit row that nobody finds: the table finds the order in any case, the audit log does not.
  it('stand in the audit log under the id of the table', async () => {
    const id = await insert();
    await operator.post(`/product-orders/${id.toUpperCase()}/status`, { status: 'cancelled' }).expect(200);
    expect(await database.query('SELECT target_id FROM audit_logs')).toEqual([{ target_id: id }]);
  });

  // Prevents one row, set back by hand, from failing every batch with 500: an order stands in one batch at most.
  it('that stand in a batch are not given to the workshop again, and hold up none behind them', async () => {
    const first = await insert();
    const batch = (await operator.post('/product-orders/export', {}).expect(201)).body.data;
    await database.query("UPDATE product_orders SET status = 'paid' WHERE id = ?", [first]);
    const second = await insert();
    const { body } = await operator.post('/product-orders/export', {}).expect(201);
    expect(body.data.orderIds).toEqual([second]);
    expect((await viewer.get(`/product-orders/${first}`)).body.data).toMatchObject({
      status: 'paid',
      batchId: batch.id,
    });
  });

  it.each(['pending', 'paid', 'exported'])('that are %s can be cancelled', async (from) => {
    const id = await insert({ status: from });
    expect((await operator.post(`/product-orders/${id}/status`, { status: 'cancelled' })).status).toBe(200);
    expect(await statusOf(id)).toBe('cancelled');
  });

  it('refuse what is no state, name the field and leave nothing', async () => {
    const id = await insert();
    for (const body of [{ status: 'exported' }, { status: 'gone' }, {}, { status: 'cancelled', x: 1 }]) {
      const answer = await operator.post(`/product-orders/${id}/status`, body);
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
      expect(answer.body.message).toMatch(/status|x /);
    }
    expect((await viewer.get('/product-orders?status=gone')).body.message).toContain('status');
    expect((await operator.post('/product-orders/export', { limit: 501 })).body.message).toContain('limit');
    expect((await operator.post('/product-orders/nobody/status', { status: 'paid' })).status).toBe(404);
    expect(await statusOf(id)).toBe('paid');
    expect(await actions()).toEqual([]);
  });

  it('are changed by operators, not by viewers', async () => {
    const id = await insert();
    const answers = [
      await viewer.post(`/product-orders/${id}/status`, { status: 'cancelled' }),
      await viewer.post('/product-orders/export', {}),
      await viewer.get('/product-orders/batches/batch-1/file'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await statusOf(id)).toBe('paid');
  });

  it('answer 503 with Retry-After while MySQL is away', async () => {
    await proxy.refuse();
    await until(
      async () => {
        const answer = await viewer.get('/product-orders');
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(answer.headers['retry-after']).toBeDefined();
      },
      { withinMs: 10_000, everyMs: 50 },
    );
    await proxy.pass();
    await backend.whenAvailable();
  });
});

describe('a batch for the workshop', () => {
  it('marks the oldest paid orders, and its file can be made again and again', async () => {
    const ids = [await insert(), await insert(), await insert()];
    const pending = await insert({ status: 'pending' });
    const { body } = await operator.post('/product-orders/export', { limit: 2 });
    expect(body.data).toMatchObject({ count: 2, orderIds: ids.slice(0, 2) });
    expect(await Promise.all([...ids, pending].map(statusOf))).toEqual([
      'exported',
      'exported',
      'paid',
      'pending',
    ]);
    const path = `/product-orders/batches/${body.data.id}/file`;
    const first = await operator.get(path);
    expect(first.headers['content-disposition']).toBe(`attachment; filename="${body.data.id}.csv"`);
    const rows = readCsv(first.text.slice(1));
    expect(rows.map(([id]) => id)).toEqual(['订单ID', ...ids.slice(0, 2), '合计：2 笔']);
    expect(rows[1]).toContain('13812345678\t');
    expect((await operator.get(path)).text).toBe(first.text);
    expect((await operator.get(`${path}?format=xlsx`)).status).toBe(200);
    expect((await operator.get('/product-orders/batches/batch-none/file')).status).toBe(404);
    expect((await operator.get(`${path}?format=pdf`)).status).toBe(400);
    expect((await viewer.get(`/product-orders/${ids[0]}`)).body.data.batchId).toBe(body.data.id);
  });

  // Prevents two operators from having the same crystal made twice.
  it('shares no order with a batch that is made at the same time', async () => {
    for (let count = 0; count < 20; count += 1) await insert();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => operator.post('/product-orders/export', { limit: 5 })),
    );
    const taken = answers.flatMap(({ body }) => (body.data?.orderIds ?? []) as string[]);
    expect(new Set(taken).size).toBe(taken.length);
    const [exported] = await database.query<{ n: string }>(
      "SELECT COUNT(*) AS n FROM product_orders WHERE status = 'exported'",
    );
    expect(Number(exported?.n)).toBe(taken.length);
  });

  it('is refused when no order waits', async () => {
    await insert({ status: 'pending' });
    const answer = await operator.post('/product-orders/export', {});
    expect([answer.status, answer.body.error]).toEqual([409, 'nothing_to_export']);
    expect(await actions()).toEqual([]);
  });
});
