import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken, openAnswer } from '../support/admin.js';
import type { AdminClient, TestToken } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow } from '../support/builders.js';
import { readCsv } from '../support/csv.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { exported, insertManyOrders, insertRefund, settle } from '../support/exports.js';
import { readWorksheet, unzip } from '../support/zip.js';

let database: TestDatabase;
let backend: TestApplication;
let operator: AdminClient;
let viewer: AdminClient;
let token: TestToken;

const RANGE = 'from=2026-01-01T00:00:00%2B08:00&to=2026-02-01T00:00:00%2B08:00';

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
  token = await insertToken(database, 'operator');
  operator = adminClient(backend, token);
  viewer = adminClient(backend, await insertToken(database, 'viewer'));
});

beforeEach(async () => {
  for (const table of ['refunds', 'refund_settlements', 'product_orders', 'payment_orders', 'audit_logs'])
    await database.query(`DELETE FROM ${table}`);
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

describe('GET /api/admin/export/orders', () => {
  it('writes the orders of the range with words, times of Shanghai and sums to the fen, and no openid', async () => {
    const paid = await insertOrderRow(database, {
      status: 'paid',
      transaction_id: '4200001234567890123456789012345',
      paid_at: new Date('2026-01-31T15:59:59Z'),
      created_at: new Date('2026-01-31T15:59:58Z'),
      _openid: 'oCANARYopenid',
    });
    await insertOrderRow(database, { status: 'pending', created_at: new Date('2026-01-05T00:00:00Z') });
    await insertOrderRow(database, { status: 'paid', created_at: new Date('2026-01-31T16:00:00Z') });
    await database.query(`UPDATE payment_orders SET remark = '=HYPERLINK("http://x","y")' WHERE id = ?`, [
      paid.id,
    ]);
    await insertRefund(database, paid.out_trade_no, { out_refund_no: 'R1' });
    await settle(database, { outRefundNo: 'R1', outTradeNo: paid.out_trade_no, refundFen: 1001 });
    await settle(database, {
      outRefundNo: 'R2',
      outTradeNo: paid.out_trade_no,
      refundFen: 500,
      status: 'pending',
    });

    const rows = await exported(operator, `/export/orders?${RANGE}`);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({
      状态: '待支付',
      实收金额: '0.00',
      创建时间: '2026-01-05 08:00:00',
      支付时间: '',
    });
    expect(rows[1]).toMatchObject({
      商户订单号: paid.out_trade_no,
      微信支付订单号: paid.transaction_id,
      套餐: '尊享包',
      套餐代码: 'premium',
      状态: '已支付',
      状态代码: 'paid',
      订单金额: '29.90',
      实收金额: '29.90',
      已退金额: '10.01',
      净额: '19.89',
      支付时间: '2026-01-31 23:59:59',
      备注: `'=HYPERLINK("http://x","y")`,
    });
    expect(rows[2]).toMatchObject({
      订单ID: '合计：2 笔',
      实收金额: '29.90',
      已退金额: '10.01',
      净额: '19.89',
    });
    const { text } = await operator.get(`/export/orders?${RANGE}`);
    expect(text).toContain(`"${paid.out_trade_no}\t"`);
    expect(text).toContain('创建时间（北京时间 Asia/Shanghai UTC+8）');
    expect(text).not.toMatch(/openid|oCANARY/i);
  });

  it('chooses by state, package, user and by the time of payment', async () => {
    const early = new Date('2025-12-31T00:00:00Z');
    const late = await insertOrderRow(database, {
      status: 'paid',
      created_at: early,
      paid_at: new Date('2026-01-02T00:00:00Z'),
    });
    const basic = await insertOrderRow(database, {
      package_type: 'basic',
      created_at: new Date('2026-01-03T00:00:00Z'),
    });
    const ids = async (query: string) =>
      (await exported(operator, `/export/orders?${RANGE}${query}`)).slice(0, -1).map((row) => row.订单ID);
    expect(await ids('')).toEqual([basic.id]);
    expect(await ids('&by=settled')).toEqual([late.id]);
    expect(await ids('&status=paid')).toEqual([]);
    expect(await ids('&packageType=basic')).toEqual([basic.id]);
    expect(await ids(`&userId=${basic.user_id}`)).toEqual([basic.id]);
    expect(await ids('&tradeType=NATIVE')).toEqual([]);
  });

  it('gives each order once, however many share a second, and the sum of the table', async () => {
    await insertManyOrders(database, 5_300);
    const rows = await exported(operator, `/export/orders?${RANGE}`);
    const orders = rows.slice(0, -1);
    expect(new Set(orders.map((row) => row.订单ID)).size).toBe(5_300);
    expect(orders.map((row) => `${row.创建时间} ${row.订单ID}`)).toEqual(
      orders.map((row) => `${row.创建时间} ${row.订单ID}`).sort(),
    );
    const [sum] = await database.query<{ amount: string }>(
      'SELECT SUM(amount) AS amount FROM payment_orders',
    );
    expect(rows.at(-1)).toMatchObject({ 订单ID: '合计：5300 笔', 实收金额: sum?.amount });
  });

  it('is one moment of the table: what changes while it is written is not in it', async () => {
    await insertManyOrders(database, 8_000, 1_500);
    const [before] = await database.query<{ amount: string }>(
      'SELECT SUM(amount) AS amount FROM payment_orders',
    );
    const reading = await openAnswer(backend, token, `/export/orders?${RANGE}`);
    const first = await reading.next();
    await database.query("UPDATE payment_orders SET amount = 99.99, remark = 'later'");
    await insertOrderRow(database, { status: 'paid', created_at: new Date('2026-01-31T00:00:00Z') });
    const text = first + (await reading.rest());
    const rows = readCsv(text.slice(1));
    expect(rows).toHaveLength(8_002);
    expect(rows.at(-1)?.slice(10, 12)).toEqual(['', before?.amount]);
    expect(text).not.toContain('later');
  });

  it('writes a workbook with numbers of 18 digits as text and amounts as numbers', async () => {
    const order = await insertOrderRow(database, {
      status: 'paid',
      created_at: new Date('2026-01-05T00:00:00Z'),
    });
    const answer = await operator
      .get(`/export/orders?${RANGE}&format=xlsx`)
      .buffer()
      .parse((response, done) => asBuffer(response as unknown as NodeJS.ReadableStream, done));
    expect(answer.headers['content-disposition']).toBe(
      'attachment; filename="orders-2026-01-01-to-2026-02-01.xlsx"',
    );
    const cells = readWorksheet(unzip(answer.body as Buffer).get('xl/worksheets/sheet1.xml') ?? '');
    expect(cells.get('B2')).toEqual({ type: 'string', text: order.out_trade_no });
    expect(cells.get('K2')).toEqual({ type: 'number', text: '29.90' });
    expect(cells.get('A3')?.text).toBe('合计：1 笔');
    expect(cells.get('L3')).toEqual({ type: 'number', text: '29.90' });
  });

  it('is written into the audit log with what was asked', async () => {
    await operator.get(`/export/orders?${RANGE}&status=paid`);
    const [row] = await database.query<{
      actor: string;
      action: string;
      target_id: string;
      after_data: unknown;
    }>("SELECT actor, action, target_id, after_data FROM audit_logs WHERE action = 'export.started'");
    expect(row).toMatchObject({ actor: 'admin:operator-of-the-tests', target_id: 'orders' });
    const after: unknown = typeof row?.after_data === 'string' ? JSON.parse(row.after_data) : row?.after_data;
    expect(after).toEqual({
      format: 'csv',
      by: 'created',
      from: '2025-12-31T16:00:00.000Z',
      to: '2026-01-31T16:00:00.000Z',
      status: 'paid',
    });
  });

  it.each([
    ['from=2026-01-01T00:00:00Z', 'to'],
    ['to=2026-01-01T00:00:00Z', 'from'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'to must be later'],
    ['from=2025-01-01T00:00:00Z&to=2026-01-03T00:00:00Z', '366'],
    ['from=2026-01-01&to=2026-02-01T00:00:00Z', 'from'],
    ['from=9999-12-01T00:00:00Z&to=9999-12-31T23:59:59Z', 'from'],
    [`${RANGE}&format=pdf`, 'format'],
    [`${RANGE}&status=gone`, 'status'],
    [`${RANGE}&by=updated`, 'by'],
    [`${RANGE}&openid=x`, 'openid'],
  ])('refuses %s, names it and leaves nothing', async (query, named) => {
    const answer = await operator.get(`/export/orders?${query}`);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    expect(answer.body.message).toContain(named);
    expect(await database.query('SELECT id FROM audit_logs')).toEqual([]);
  });

  it('is for operators, not for viewers, and not for HEAD', async () => {
    for (const kind of ['orders', 'refunds', 'product-orders']) {
      expect((await viewer.get(`/export/${kind}?${RANGE}`)).status).toBe(403);
    }
    expect((await operator.head(`/export/orders?${RANGE}`)).status).toBe(400);
    expect(await database.query('SELECT id FROM audit_logs')).toEqual([]);
  });
});

function asBuffer(response: NodeJS.ReadableStream, done: (error: Error | null, body: Buffer) => void): void {
  const pieces: Buffer[] = [];
  response.on('data', (piece: Buffer) => pieces.push(piece));
  response.on('end', () => done(null, Buffer.concat(pieces)));
}
