import type { Answer } from './answers.ts';
import type { Control } from './api-server.ts';
import { ApiError } from './api-error.ts';
import { toRfc3339 } from './beijing-time.ts';
import { FAULT_KINDS } from './faults.ts';
import type { FaultKind } from './faults.ts';
import { Fields, parseJson } from './fields.ts';
import type { JsonObject } from './fields.ts';
import { refundSuccessTimeMs, statusOf } from './ledger.ts';
import type { Order, Refund, RefundEnd } from './ledger.ts';
import type { WechatPaySimulator } from './simulator.ts';

/** The page of /sim/: what there is to ask for. */
const CONTROLS = `GET  /sim/                       this text
GET  /sim/ledger                 every order and refund, as WeChat Pay knows them
GET  /sim/deliveries             every attempt to deliver a notice, and what was answered
POST /sim/orders                 {"outTradeNo","totalFen","tradeType"?,"openid"?,"notifyUrl"?,"description"?}
POST /sim/orders/NUMBER/pay      {"openid"?,"couponFen"?,"copies"?,"delayMs"?,"probeFirst"?}  the customer pays
POST /sim/orders/NUMBER/redeliver                     sends its payment notice again
POST /sim/refunds                {"outTradeNo","outRefundNo","refundFen"}  as on the merchant platform
POST /sim/refunds/NUMBER/end     {"status":"SUCCESS"|"CLOSED"|"ABNORMAL"}
GET  /sim/clock                  {"now"}
POST /sim/clock/advance          {"ms"}  what falls due on the way happens
POST /sim/faults                 {"kind","times"?}  the next requests fail; kinds: ${FAULT_KINDS.join(', ')}
POST /sim/faults/clear
`;

type Handler = (simulator: WechatPaySimulator, call: { id: string; fields: Fields }) => unknown;
type ControlRoute = { method: string; path: RegExp; handle: Handler };

const ROUTES: readonly ControlRoute[] = [
  {
    method: 'GET',
    path: /^\/sim\/ledger$/,
    handle: ({ ledger }) => ({
      orders: ledger.orders.map(toOrderView),
      refunds: ledger.refunds.map(toRefundView),
    }),
  },
  {
    method: 'GET',
    path: /^\/sim\/deliveries$/,
    handle: ({ notifier }) => ({ waiting: notifier.waitingCount, deliveries: notifier.deliveries }),
  },
  { method: 'POST', path: /^\/sim\/orders$/, handle: placeOrder },
  { method: 'POST', path: /^\/sim\/orders\/([^/]+)\/pay$/, handle: pay },
  {
    method: 'POST',
    path: /^\/sim\/orders\/([^/]+)\/redeliver$/,
    handle: (simulator, { id }) => {
      simulator.notifier.redeliver(id);
      return {};
    },
  },
  { method: 'POST', path: /^\/sim\/refunds$/, handle: refund },
  { method: 'POST', path: /^\/sim\/refunds\/([^/]+)\/end$/, handle: endRefund },
  {
    method: 'GET',
    path: /^\/sim\/clock$/,
    handle: ({ clock }) => ({ now: toRfc3339(clock.nowMs()) }),
  },
  {
    method: 'POST',
    path: /^\/sim\/clock\/advance$/,
    handle: async (simulator, { fields }) => {
      await simulator.advance(fields.positiveInteger('ms'));
      return { now: toRfc3339(simulator.clock.nowMs()) };
    },
  },
  {
    method: 'POST',
    path: /^\/sim\/faults$/,
    handle: ({ faults }, { fields }) => {
      const times = fields.has('times') ? fields.positiveInteger('times') : 1;
      faults.next(fields.oneOf('kind', FAULT_KINDS) as FaultKind, { times });
      return { left: faults.left };
    },
  },
  {
    method: 'POST',
    path: /^\/sim\/faults\/clear$/,
    handle: ({ faults }) => {
      faults.clear();
      return {};
    },
  },
];

/** The simulator's own endpoints, for people and programs that drive one that runs alone. */
export function makeControl(simulator: WechatPaySimulator): Control {
  return async (method, path, body) => {
    if (method === 'GET' && path === '/sim/') return toText(CONTROLS);
    for (const route of ROUTES) {
      const match = route.method === method ? route.path.exec(path) : null;
      if (match) return perform(route.handle, simulator, { id: decodeURIComponent(match[1] ?? ''), body });
    }
    return null;
  };
}

async function perform(
  handle: Handler,
  simulator: WechatPaySimulator,
  { id, body }: { id: string; body: Buffer },
): Promise<Answer> {
  try {
    const fields = new Fields(body.length === 0 ? {} : parseJson(body));
    return toJson(200, await handle(simulator, { id, fields }));
  } catch (error) {
    if (error instanceof ApiError) return toJson(error.status, error.body);
    // The ledger's own refusals say what was wrong with the wish.
    return toJson(400, { code: 'NOT_POSSIBLE', message: error instanceof Error ? error.message : '' });
  }
}

function placeOrder(simulator: WechatPaySimulator, { fields }: { fields: Fields }): JsonObject {
  const order = simulator.placeOrder({
    outTradeNo: fields.outTradeNo('outTradeNo'),
    totalFen: fields.positiveInteger('totalFen'),
    tradeType: fields.has('tradeType')
      ? (fields.oneOf('tradeType', ['JSAPI', 'NATIVE']) as 'JSAPI')
      : 'JSAPI',
    openid: fields.optionalText('openid', 128) ?? undefined,
    notifyUrl: fields.has('notifyUrl') ? fields.notifyUrl('notifyUrl') : undefined,
    description: fields.optionalText('description', 127) ?? undefined,
  });
  return toOrderView(order);
}

function pay(simulator: WechatPaySimulator, { id, fields }: { id: string; fields: Fields }): JsonObject {
  const notice = {
    ...(fields.has('copies') && { copies: fields.positiveInteger('copies') }),
    ...(fields.has('delayMs') && { delayMs: fields.positiveInteger('delayMs') }),
    ...(fields.has('probeFirst') && { probeFirst: true }),
  };
  const order = simulator.customerPays(id, {
    notice,
    openid: fields.optionalText('openid', 128) ?? undefined,
    couponFen: fields.has('couponFen') ? fields.positiveInteger('couponFen') : undefined,
  });
  return toOrderView(order);
}

function refund(simulator: WechatPaySimulator, { fields }: { fields: Fields }): JsonObject {
  const accepted = simulator.merchantRefunds({
    outTradeNo: fields.outTradeNo('outTradeNo'),
    outRefundNo: fields.outRefundNo('outRefundNo'),
    refundFen: fields.positiveInteger('refundFen'),
  });
  return toRefundView(accepted);
}

function endRefund(simulator: WechatPaySimulator, { id, fields }: { id: string; fields: Fields }) {
  const end = fields.oneOf('status', ['SUCCESS', 'CLOSED', 'ABNORMAL']) as RefundEnd;
  return toRefundView(simulator.endRefund(id, end));
}

function toOrderView(order: Readonly<Order>): JsonObject {
  const { payment } = order;
  return {
    outTradeNo: order.outTradeNo,
    state: order.state,
    tradeType: order.tradeType,
    totalFen: order.totalFen,
    notifyUrl: order.notifyUrl,
    transactionId: payment?.transactionId ?? null,
    successTime: payment ? toRfc3339(payment.successTimeMs) : null,
    openid: payment?.openid ?? order.openid,
  };
}

function toRefundView(one: Readonly<Refund>): JsonObject {
  const successTimeMs = refundSuccessTimeMs(one);
  return {
    outRefundNo: one.outRefundNo,
    refundId: one.refundId,
    outTradeNo: one.order.outTradeNo,
    refundFen: one.refundFen,
    status: statusOf(one),
    successTime: successTimeMs === null ? null : toRfc3339(successTimeMs),
  };
}

function toJson(status: number, value: unknown): Answer {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return { status, headers, body: Buffer.from(`${JSON.stringify(value, null, 2)}\n`, 'utf8') };
}

function toText(text: string): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: Buffer.from(text, 'utf8'),
  };
}
