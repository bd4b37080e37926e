import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { readOrder } from '../support/payments.js';
import { WechatpayBackend } from '../support/wechatpay-backend.js';

let backend: WechatpayBackend;
let viewer: AdminClient;
let operator: AdminClient;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
  viewer = adminClient(backend.application, await insertToken(backend.database, 'viewer'));
  operator = adminClient(
    backend.application,
    await insertToken(backend.database, 'operator', { name: 'olga' }),
  );
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

function auditOf(targetId: string): Promise<Record<string, unknown>[]> {
  return backend.database.query(
    'SELECT actor, action, before_data, after_data, request_id, source_ip FROM audit_logs WHERE target_id = ? ORDER BY id',
    [targetId],
  );
}

/** MySQL gives JSON columns parsed, MariaDB as text. */
const parsed = (data: unknown): unknown => (typeof data === 'string' ? JSON.parse(data) : data);

describe('PATCH /api/admin/orders/:outTradeNo', () => {
  it('writes the remark and nothing else, and keeps who did it', async () => {
    const row = await insertOrderRow(backend.database, { status: 'failed' });
    const path = `/orders/${row.out_trade_no}`;
    const before = (await readOrder(backend.database, row.out_trade_no)).order ?? {};
    const { body } = await operator
      .patch(path, { remark: '客户来电 📞' })
      .set('X-Request-Id', 'req-remark')
      .expect(200);
    expect(body.data).toMatchObject({ outTradeNo: row.out_trade_no, remark: '客户来电 📞' });
    const after = (await readOrder(backend.database, row.out_trade_no)).order ?? {};
    expect({ ...after, remark: null, updated_at: null }).toEqual({
      ...before,
      remark: null,
      updated_at: null,
    });
    await operator.patch(path, { remark: '客户来电 📞' }).expect(200);
    await operator.patch(path, { remark: '' }).expect(200);
    expect((await readOrder(backend.database, row.out_trade_no)).order).toMatchObject({ remark: null });
    const audit = await auditOf(row.out_trade_no);
    expect(audit.map(({ before_data, after_data }) => [parsed(before_data), parsed(after_data)])).toEqual([
      [{ remark: null }, { remark: '客户来电 📞' }],
      [{ remark: '客户来电 📞' }, { remark: null }],
    ]);
    expect(audit[0]).toMatchObject({
      actor: 'admin:olga',
      action: 'order.remark_changed',
      request_id: 'req-remark',
    });
    expect(audit[0]?.source_ip).toEqual(expect.any(String));
  });

  it.each<[string, Record<string, unknown>]>([
    ['remark', {}],
    ['remark', { remark: 'x'.repeat(501) }],
    ['remark', { remark: null }],
    ['remark', { remark: 5 }],
    ['status', { remark: 'x', status: 'paid' }],
  ])('refuses a wrong %s, and leaves nothing', async (field, sent) => {
    const row = await insertOrderRow(backend.database);
    const { body } = await operator.patch(`/orders/${row.out_trade_no}`, sent).expect(400);
    expect(body.message).toContain(field);
    expect((await readOrder(backend.database, row.out_trade_no)).order).toMatchObject({
      remark: null,
      status: 'pending',
    });
    expect(await auditOf(row.out_trade_no)).toEqual([]);
  });

  it('is not for viewers, and answers 404 for an unknown number', async () => {
    const row = await insertOrderRow(backend.database);
    await viewer.patch(`/orders/${row.out_trade_no}`, { remark: 'x' }).expect(403);
    const unknown = newOutTradeNo();
    await operator.patch(`/orders/${unknown}`, { remark: 'x' }).expect(404);
    expect([...(await auditOf(unknown)), ...(await auditOf(row.out_trade_no))]).toEqual([]);
  });
});

describe('POST /api/admin/orders/:outTradeNo/ask', () => {
  it('takes over what WeChat Pay says', async () => {
    const outTradeNo = await backend.order();
    const open = await operator.post(`/orders/${outTradeNo}/ask`).expect(200);
    expect(open.body.data).toMatchObject({ answer: 'open', order: { status: 'pending' } });
    backend.pay(outTradeNo);
    const paid = await operator.post(`/orders/${outTradeNo}/ask`).expect(200);
    expect(paid.body.data).toMatchObject({ answer: 'paid', order: { status: 'paid', granted: true } });
    expect((await readOrder(backend.database, outTradeNo)).grants).toHaveLength(1);
    expect((await auditOf(outTradeNo)).map(({ action }) => action)).toEqual(['order.asked', 'order.asked']);
    const { out_trade_no: nobodys } = await insertOrderRow(backend.database);
    const unknown = await operator.post(`/orders/${nobodys}/ask`).expect(200);
    expect(unknown.body.data).toMatchObject({ answer: 'not_found', order: { status: 'pending' } });
  });

  it.each(['error-before', 'bad-signature', 'hang-before'] as const)(
    'says that nothing is known, and changes nothing, when WeChat Pay answers with %s',
    async (fault) => {
      const outTradeNo = await backend.order();
      backend.pay(outTradeNo);
      backend.simulator.faults.next(fault, { times: 5 });
      const { body, headers } = await operator.post(`/orders/${outTradeNo}/ask`).expect(503);
      expect(body).toMatchObject({ success: false, error: 'wechatpay_no_answer' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      const { order, grants } = await readOrder(backend.database, outTradeNo);
      expect([order?.status, grants]).toEqual(['pending', []]);
      expect(await auditOf(outTradeNo)).toEqual([]);
    },
  );

  it('answers 404 for an order that nobody knows, and is not for viewers', async () => {
    await operator.post(`/orders/${newOutTradeNo()}/ask`).expect(404);
    const outTradeNo = await backend.order();
    await viewer.post(`/orders/${outTradeNo}/ask`).expect(403);
    expect(backend.timesAsked(outTradeNo)).toBe(0);
  });

  it('says which variables are missing without credentials', async () => {
    const bare = await startApplication(backend.database, { ROLE: 'api' });
    try {
      await bare.whenAvailable();
      const token = await insertToken(backend.database, 'operator');
      const { out_trade_no: outTradeNo } = await insertOrderRow(backend.database);
      const { body } = await adminClient(bare, token).post(`/orders/${outTradeNo}/ask`).expect(503);
      expect(body.error).toBe('wechatpay_not_configured');
      expect(body.message).toContain('WECHAT_');
    } finally {
      await bare.stop();
    }
  });
});
