import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FUNCTION_FAULT_KINDS, startCloudFunctionStandIn } from '../../support/cloud-function-stand-in.js';
import type { CloudFunctionStandIn, FunctionFault } from '../../support/cloud-function-stand-in.js';
import { newOutTradeNo } from '../../support/builders.js';
import { contractDdl } from '../../support/contract-ddl.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.js';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';

const TOTAL_FEN = 2990;
const REFUND_FEN = 990;
/** How long a call waits for an answer that never comes. */
const PATIENCE_MS = 300;

let simulator: WechatPaySimulator;
let standIn: CloudFunctionStandIn;

beforeAll(async () => {
  simulator = await startWechatPaySimulator({ mode: 'public-key', clock: new SimulatorClock() });
});
beforeEach(async () => {
  standIn = await startCloudFunctionStandIn({ wechatpay: simulator });
});
afterEach(() => standIn.close());
afterAll(() => simulator.close());

function paidOrder(): { outTradeNo: string; outRefundNo: string; transactionId: string } {
  const outTradeNo = newOutTradeNo();
  simulator.placeOrder({ outTradeNo, totalFen: TOTAL_FEN });
  const order = simulator.customerPays(outTradeNo, { notice: { copies: 0 } });
  return { outTradeNo, outRefundNo: `R${outTradeNo}`, transactionId: order.payment?.transactionId ?? '' };
}

type Order = ReturnType<typeof paidOrder>;

/** As a caller sends it that serves both the contract and what is deployed. */
function eventOf({ outTradeNo, outRefundNo }: Order, changes: object = {}): object {
  return {
    type: 'wxpay_refund',
    out_trade_no: outTradeNo,
    out_refund_no: outRefundNo,
    amount: { refund: REFUND_FEN, total: TOTAL_FEN, currency: 'CNY' },
    outTradeNo,
    refundAmount: 9.9,
    reason: 'of no interest to the function',
    ...changes,
  };
}

async function call(event: object, token = standIn.env.CLOUD_FUNCTION_TOKEN) {
  const response = await fetch(standIn.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

describe('the stand-in for the refund function', () => {
  it('refunds by the snake-case fields, in fen, and ignores the rest', async () => {
    const order = paidOrder();
    const answer = await call(eventOf(order));
    const refund = simulator.ledger.getRefund(order.outRefundNo);
    expect(refund).toMatchObject({ refundFen: REFUND_FEN });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        code: 0,
        data: {
          refund_id: refund.refundId,
          out_refund_no: order.outRefundNo,
          status: 'PROCESSING',
          amount: { refund: REFUND_FEN, total: TOTAL_FEN },
        },
      },
    });
    expect(standIn.calls).toMatchObject([{ isAuthorized: true, status: 200 }]);
  });

  it('takes the transaction in place of the merchant number', async () => {
    const order = paidOrder();
    const event = eventOf(order, { out_trade_no: undefined, transaction_id: order.transactionId });
    expect((await call(event)).body).toMatchObject({ code: 0, data: { out_refund_no: order.outRefundNo } });
  });

  it('pays out once for one number, and invents a number where none is given', async () => {
    const order = paidOrder();
    const [first, again] = [await call(eventOf(order)), await call(eventOf(order))];
    expect(again.body).toEqual(first.body);
    await simulator.advance(60_000);
    const invented = await call(eventOf(order, { out_refund_no: undefined }));
    expect(invented.body.data.out_refund_no).toMatch(/^refund_\d+/);
    const refunds = simulator.ledger.refundsOf(simulator.ledger.getOrder(order.outTradeNo));
    expect(refunds.map(({ refundFen }) => refundFen)).toEqual([REFUND_FEN, REFUND_FEN]);
  });

  it('answers code -1 with WeChat Pay’s words where WeChat Pay refuses', async () => {
    const order = paidOrder();
    const amount = { refund: TOTAL_FEN + 1, total: TOTAL_FEN };
    expect(await call(eventOf(order, { amount }))).toEqual({
      status: 200,
      body: { code: -1, msg: '申请退款金额超过订单可退金额' },
    });
    expect((await call({ type: 'wxpay_order' })).body.code).toBe(-1);
  });

  it('does nothing for a wrong token, another path or a body that is no object', async () => {
    const order = paidOrder();
    expect(await call(eventOf(order), 'x'.repeat(48))).toMatchObject({ status: 401 });
    expect(await call([eventOf(order)])).toMatchObject({ status: 400 });
    const elsewhere = await fetch(new URL('/pay', standIn.url), { method: 'POST', body: '{}' });
    expect(elsewhere.status).toBe(404);
    expect(simulator.ledger.findRefund(order.outRefundNo)).toBeUndefined();
    expect(standIn.calls.map(({ status }) => status)).toEqual([401, 400, 404]);
  });

  const ANSWERS: [prefix: string, answer: object | null][] = [
    ['blank', { status: 200, body: { code: 0, msg: 'success', data: {} } }],
    ['refused', { status: 200, body: { code: -1 } }],
    ['platform-timeout', { status: 500, body: { code: 'FUNCTION_TIME_LIMIT_EXCEEDED' } }],
    ['html-502', { status: 502, body: expect.stringContaining('<html>') }],
    ['hang', null],
    ['reset', null],
  ];

  it.each(FUNCTION_FAULT_KINDS)('%s: only the answer is wrong, or nothing is done', async (fault) => {
    const order = paidOrder();
    standIn.failNext(fault);
    const expected = ANSWERS.find(([prefix]) => fault.startsWith(prefix))?.[1];
    if (expected) expect(await call(eventOf(order))).toMatchObject(expected);
    else await expect(call(eventOf(order))).rejects.toThrow();
    const isDone = simulator.ledger.findRefund(order.outRefundNo) !== undefined;
    expect(isDone).toBe(fault.endsWith('-after'));
    // Only that call: the next one, with the same number, has the one refund whatever happened before.
    expect((await call(eventOf(order))).body.code).toBe(0);
    expect(simulator.ledger.refundsOf(simulator.ledger.getOrder(order.outTradeNo))).toHaveLength(1);
  });

  it('uses its faults up in order, can be healed, and lets a test write the answer', async () => {
    const faults: FunctionFault[] = ['refused-before', { rewrite: (answer) => ({ result: answer }) }];
    for (const fault of faults) standIn.failNext(fault);
    standIn.failNext('html-502-before', 5);
    const order = paidOrder();
    expect((await call(eventOf(order))).body.code).toBe(-1);
    expect((await call(eventOf(order))).body.result.code).toBe(0);
    expect((await call(eventOf(order))).status).toBe(502);
    standIn.heal();
    expect((await call(eventOf(order))).status).toBe(200);
  });
});

describe('the rows of the refund function', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(contractDdl('refunds'));
  });
  afterAll(() => database.drop());

  const query = (sql: string, values: (string | number)[]) => database.query(sql, values);

  it('are refused by the contract’s table as deployed, and nobody hears of it', async () => {
    standIn.rows = { shape: 'as-deployed', query };
    expect((await call(eventOf(paidOrder()))).body.code).toBe(0);
    expect(standIn.rowErrors).toHaveLength(1);
    expect(await database.query('SELECT id FROM refunds')).toEqual([]);
  });

  it('have fen in the columns of yuan where one gets in', async () => {
    standIn.rows = { shape: 'stored', query };
    const order = paidOrder();
    await call(eventOf(order));
    expect(standIn.rowErrors).toEqual([]);
    expect(
      await database.query('SELECT refund_amount, total_amount, status FROM refunds WHERE out_trade_no = ?', [
        order.outTradeNo,
      ]),
    ).toEqual([{ refund_amount: '990.00', total_amount: '2990.00', status: 'pending' }]);
  });
});
