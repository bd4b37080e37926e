import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newToken } from '../../src/admin/token-format.js';
import { insertToken } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { readOrder } from '../support/payments.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';
import { openidOf, WechatpayBackend } from '../support/wechatpay-backend.js';

/** The service waits 1.5 s for WeChat Pay; the rest is room for a busy machine. */
const ANSWER_MS_MAX = 3_000;
const HOUR_MS = 3_600_000;

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

function get(outTradeNo: string, from: TestApplication = backend.application) {
  return from
    .http()
    .get(`/api/payment/orders/${encodeURIComponent(outTradeNo)}/status`)
    .set('X-Internal-Secret', INTERNAL_SECRET);
}

describe('GET /api/payment/orders/:outTradeNo/status', () => {
  // Order numbers can be guessed: what somebody bought is nobody else's business.
  it('wants the secret', async () => {
    const outTradeNo = await backend.order();
    const asked = backend.timesAsked(outTradeNo);
    const path = `/api/payment/orders/${outTradeNo}/status`;
    const bare = await backend.application.http().get(path).expect(401);
    expect(bare.body).toMatchObject({ success: false, error: 'Unauthorized' });
    await backend.application.http().get(path).set('X-Internal-Secret', `${INTERNAL_SECRET}x`).expect(401);
    expect(backend.timesAsked(outTradeNo)).toBe(asked);
  });

  // Operators have no secret of the cloud functions, and must not need one to see whether an order is paid.
  it('takes an admin token that may read orders instead', async () => {
    const { out_trade_no: outTradeNo } = await insertOrderRow(backend.database, {
      status: 'paid',
      paid_at: new Date(),
      _openid: 'oSecretSecretSecretSecret',
    });
    const viewer = await insertToken(backend.database, 'viewer');
    const path = `/api/payment/orders/${outTradeNo}/status`;
    const ask = (authorization: string) =>
      backend.application.http().get(path).set('Authorization', authorization);
    const { body, text } = await ask(`Bearer ${viewer.token}`).expect(200);
    expect(body).toMatchObject({ data: { outTradeNo, status: 'paid' } });
    expect(text).not.toContain('oSecret');
  });

  // Prevents a made-up token from being let in because the route has another guard, and the other way round.
  it('judges who sends a token by the token, and everybody else by the secret', async () => {
    const row = await insertOrderRow(backend.database, { status: 'paid' });
    const path = `/api/payment/orders/${row.out_trade_no}/status`;
    const expired = await insertToken(backend.database, 'admin', {
      expires_at: new Date(Date.now() - 1_000),
    });
    for (const authorization of ['Bearer x', 'Bearer', `Bearer ${newToken()}`, `Bearer ${expired.token}`]) {
      const request = backend.application.http().get(path).set('Authorization', authorization);
      await request.expect(401);
      await get(row.out_trade_no).set('Authorization', authorization).expect(401);
    }
    // A proxy may add credentials of its own, which say nothing here.
    await backend.application.http().get(path).set('Authorization', 'Basic eDp5').expect(401);
    await get(row.out_trade_no).set('Authorization', 'Basic eDp5').expect(200);
    // The token opens no other route of the cloud functions.
    const { token } = await insertToken(backend.database, 'admin');
    await backend.application
      .http()
      .post('/api/payment/internal/notify')
      .set('Authorization', `Bearer ${token}`)
      .send({ outTradeNo: row.out_trade_no })
      .expect(401);
  });

  // The customer stands before the screen: they must not wait for a job when WeChat Pay can be asked now.
  it('repairs a pending order that was paid, and shows it as granted', async () => {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    const { body } = (await get(outTradeNo).expect(200)) as { body: unknown };
    const { payment } = backend.simulator.ledger.getOrder(outTradeNo);
    const paidAt = new Date(Math.round((payment?.successTimeMs ?? 0) / 1000) * 1000);
    expect(body).toEqual({
      success: true,
      data: {
        outTradeNo,
        status: 'paid',
        packageType: 'premium',
        amount: '29.90',
        paidAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        granted: true,
      },
    });
    const shown = (body as { data: { paidAt: string } }).data.paidAt;
    expect(Math.abs(Date.parse(shown) - paidAt.getTime())).toBeLessThanOrEqual(1_000);
    expect((await readOrder(backend.database, outTradeNo)).grants).toHaveLength(1);
    expect(JSON.stringify(body)).not.toContain(openidOf(outTradeNo));
  });

  // Both the row and every message were lost, and somebody asks with the number from the customer's receipt.
  it('finds an order that only WeChat Pay knows', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo, 1);
    backend.pay(outTradeNo);
    const { body } = (await get(outTradeNo).expect(200)) as { body: unknown };
    expect(body).toMatchObject({
      data: { status: 'paid', packageType: 'basic', amount: '0.01', granted: true },
    });
  });

  it('shows an unpaid order as pending, and one that WeChat Pay closed as failed', async () => {
    const open = await backend.order();
    expect((await get(open).expect(200)).body).toMatchObject({
      data: { status: 'pending', paidAt: null, granted: false },
    });
    // Looking at an order must not close it, however old it is.
    const old = await backend.order({ created_at: new Date(Date.now() - 50 * HOUR_MS) });
    expect((await get(old).expect(200)).body).toMatchObject({ data: { status: 'pending' } });
    expect(backend.simulator.ledger.getOrder(old).state).toBe('NOTPAY');
    await backend.discover();
    await backend.ask(old);
    expect((await get(old).expect(200)).body).toMatchObject({ data: { status: 'failed', granted: false } });
  });

  // A settled order needs nobody's word: asking each time would let a screen that polls use up the limits.
  it('does not ask about an order that is paid', async () => {
    const row = await insertOrderRow(backend.database, { status: 'paid', paid_at: new Date() });
    await get(row.out_trade_no).expect(200);
    expect(backend.timesAsked(row.out_trade_no)).toBe(0);
  });

  // A WeChat Pay that hangs or fails must not make the screen hang or fail with it.
  it.each(['hang-before', 'error-before', 'bad-signature', 'html-502-before'] as const)(
    'shows what is stored, and quickly, when WeChat Pay answers with %s',
    async (fault) => {
      const outTradeNo = await backend.order();
      backend.pay(outTradeNo);
      backend.simulator.faults.next(fault);
      const startedAtMs = performance.now();
      const { body } = (await get(outTradeNo).expect(200)) as { body: unknown };
      expect(performance.now() - startedAtMs).toBeLessThan(ANSWER_MS_MAX);
      expect(body).toMatchObject({ data: { status: 'pending', granted: false } });
    },
  );

  it('answers 404 for a number that nobody knows, and 400 for what is no number', async () => {
    expect((await get(newOutTradeNo()).expect(404)).body).toMatchObject({
      success: false,
      error: 'not_found',
    });
    for (const odd of ['a b c d e f', '1'.repeat(70), '../../v3/refund', "1' OR '1'='1"]) {
      expect((await get(odd).expect(400)).body).toMatchObject({ success: false, error: 'invalid_request' });
    }
  });

  // Without a channel the table is all there is; the route must work all the same.
  it('shows the stored state without credentials', async () => {
    const bare = await startApplication(backend.database, { ROLE: 'api' });
    try {
      await bare.whenAvailable();
      const { out_trade_no: outTradeNo } = await insertOrderRow(backend.database);
      expect((await get(outTradeNo, bare).expect(200)).body).toMatchObject({ data: { status: 'pending' } });
    } finally {
      await bare.stop();
    }
  });
});
