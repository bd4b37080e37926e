import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { exported, insertRefund, settle } from '../support/exports.js';

let database: TestDatabase;
let backend: TestApplication;
let operator: AdminClient;

const RANGE = 'from=2026-01-01T00:00:00%2B08:00&to=2026-02-01T00:00:00%2B08:00';

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
  operator = adminClient(backend, await insertToken(database, 'operator'));
});

beforeEach(async () => {
  for (const table of ['refunds', 'refund_settlements', 'product_orders', 'payment_orders', 'audit_logs'])
    await database.query(`DELETE FROM ${table}`);
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

describe('GET /api/admin/export/refunds', () => {
  it('counts what is settled, and leaves the amount empty where its unit is not', async () => {
    const order = await insertOrderRow(database, {
      status: 'paid',
      created_at: new Date('2026-01-05T00:00:00Z'),
    });
    await insertRefund(database, order.out_trade_no, { out_refund_no: 'A1' });
    await settle(database, { outRefundNo: 'A1', outTradeNo: order.out_trade_no, refundFen: 1001 });
    await insertRefund(database, order.out_trade_no, {
      out_refund_no: 'A2',
      refund_amount: '500.00',
      total_amount: '2990.00',
      reason: '@sum(1)',
    });
    await insertRefund(database, order.out_trade_no, {
      out_refund_no: 'A3',
      status: 'pending',
      refunded_at: null,
    });
    await settle(database, {
      outRefundNo: 'A3',
      outTradeNo: order.out_trade_no,
      refundFen: 7,
      status: 'closed',
    });
    const rows = await exported(operator, `/export/refunds?${RANGE}`);
    const byNumber = Object.fromEntries(rows.map((row) => [row.商户退款单号, row]));
    expect(byNumber.A1).toMatchObject({
      状态: '退款成功',
      金额已确认: '是',
      退款金额: '10.01',
      退款成功金额: '10.01',
      用户ID: order.user_id,
      退款完成时间: '2026-01-11 08:00:00',
    });
    expect(byNumber.A2).toMatchObject({
      状态: '退款成功',
      金额已确认: '否',
      退款金额: '',
      退款成功金额: '0.00',
      退款原因: "'@sum(1)",
    });
    expect(byNumber.A3).toMatchObject({ 状态: '退款关闭', 退款金额: '0.07', 退款成功金额: '0.00' });
    expect(rows.at(-1)).toMatchObject({ 商户退款单号: '合计：3 笔', 退款成功金额: '10.01' });
    expect((await exported(operator, `/export/refunds?${RANGE}&by=settled&status=success`)).length).toBe(3);
  });
});

describe('GET /api/admin/export/product-orders', () => {
  it('shows no whole name or phone and no address', async () => {
    await database.query('INSERT INTO product_orders SET ?', [
      {
        id: 'po-1',
        user_id: 'user-1',
        product_type: 'crystal',
        product_price: '199.00',
        status: 'paid',
        shipping_name: '张小明',
        shipping_phone: '13812345678',
        shipping_address: '北京市CANARY路',
        created_at: new Date('2026-01-05T00:00:00Z'),
      },
    ]);
    const rows = await exported(operator, `/export/product-orders?${RANGE}&status=paid`);
    expect(rows[0]).toMatchObject({
      产品: '水晶',
      状态: '已支付',
      价格: '199.00',
      收件人: '张**',
      联系电话: '138****5678',
    });
    expect(rows[1]).toMatchObject({ 订单ID: '合计：1 笔', 已付金额: '199.00' });
    expect(JSON.stringify(rows)).not.toContain('CANARY');
    expect((await operator.get(`/export/product-orders?${RANGE}&by=settled`)).status).toBe(400);
  });
});
