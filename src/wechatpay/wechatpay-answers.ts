import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';
import type { AnswerReader } from './answer-reader.js';
import type {
  WechatpayBillTicket,
  WechatpayOrder,
  WechatpayPaidOrder,
  WechatpayRefund,
} from './wechatpay.types.js';

/** Whose money it is; an answer about somebody else's is not an answer to us. */
export type Merchant = { readonly appid: string; readonly mchid: string };

const CURRENCY = 'CNY';
const TRADE_STATES = ['SUCCESS', 'REFUND', 'NOTPAY', 'USERPAYING', 'PAYERROR', 'CLOSED', 'REVOKED'] as const;
const REFUND_STATUSES = ['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const;
/** A notification is sent when a refund has come to an end, so it never says PROCESSING. */
const NOTIFIED_REFUND_STATUSES = ['SUCCESS', 'CLOSED', 'ABNORMAL'] as const;
const DOWNLOAD_PATH = '/v3/billdownload/file';
const SHA1_PATTERN = /^[0-9a-f]{40}$/;

/** Reads a queried or notified order. @throws UnexpectedContent */
export function readOrder(
  answer: AnswerReader,
  merchant: Merchant,
  asked: { outTradeNo?: OutTradeNo; transactionId?: string } = {},
): WechatpayOrder {
  answer.same('mchid', merchant.mchid);
  const outTradeNo = answer.outTradeNo('out_trade_no');
  if (asked.outTradeNo !== undefined) answer.same('out_trade_no', asked.outTradeNo);
  if (asked.transactionId !== undefined) answer.same('transaction_id', asked.transactionId);
  const tradeState = answer.oneOf('trade_state', TRADE_STATES);
  const tradeType = answer.optionalText('trade_type');
  switch (tradeState) {
    case 'SUCCESS':
    case 'REFUND':
      return { ...readPayment(answer, merchant), outTradeNo, tradeType, tradeState };
    case 'NOTPAY':
    case 'USERPAYING':
    case 'PAYERROR':
      refuseOtherApp(answer, merchant);
      return { state: 'unpaid', tradeState, outTradeNo, tradeType };
    case 'CLOSED':
    case 'REVOKED':
      refuseOtherApp(answer, merchant);
      return { state: 'closed', tradeState, outTradeNo, tradeType };
  }
}

function readPayment(
  answer: AnswerReader,
  merchant: Merchant,
): Pick<WechatpayPaidOrder, 'state' | 'transactionId' | 'amount' | 'paidAt' | 'openid'> {
  answer.same('appid', merchant.appid);
  return {
    state: 'paid',
    transactionId: answer.text('transaction_id'),
    amount: readPaidAmount(answer.child('amount')),
    paidAt: answer.time('success_time'),
    openid: answer.optionalChild('payer')?.optionalText('openid') ?? null,
  };
}

/** `total` and not `payer_total`: a coupon lowers what the payer pays, not what the order costs. */
function readPaidAmount(amount: AnswerReader): Money {
  amount.same('currency', CURRENCY);
  const total = amount.money('total');
  if (total.isZero()) throw amount.unexpected('total', 'more than nothing');
  return total;
}

/** An order that nobody paid yet may come without an appid; one of another app is not ours. */
function refuseOtherApp(answer: AnswerReader, merchant: Merchant): void {
  if (answer.optionalText('appid') !== null) answer.same('appid', merchant.appid);
}

export type AskedRefund = {
  readonly outRefundNo: string;
  readonly refundId?: string;
  readonly order?: { readonly transactionId: string } | { readonly outTradeNo: OutTradeNo };
  readonly refundAmount?: Money;
  readonly orderAmount?: Money;
};

/** Reads a created or queried refund. @throws UnexpectedContent */
export function readRefund(answer: AnswerReader, asked: AskedRefund): WechatpayRefund {
  answer.same('out_refund_no', asked.outRefundNo);
  if (asked.refundId !== undefined) answer.same('refund_id', asked.refundId);
  if (asked.order && 'transactionId' in asked.order) {
    answer.same('transaction_id', asked.order.transactionId);
  } else if (asked.order) answer.same('out_trade_no', asked.order.outTradeNo);
  const amount = answer.child('amount');
  amount.same('currency', CURRENCY);
  const { refundAmount, orderAmount } = readRefundAmounts(amount);
  if (asked.refundAmount && !asked.refundAmount.equals(refundAmount)) {
    throw amount.unexpected('refund', 'the amount asked for');
  }
  if (asked.orderAmount && !asked.orderAmount.equals(orderAmount)) {
    throw amount.unexpected('total', 'the amount of the order');
  }
  return {
    ...readRefundNumbers(answer),
    status: answer.oneOf('status', REFUND_STATUSES),
    refundAmount,
    orderAmount,
    acceptedAt: answer.optionalTime('create_time'),
  };
}

/** Reads a decrypted refund notification, which names the status otherwise and tells no currency. @throws UnexpectedContent */
export function readNotifiedRefund(resource: AnswerReader, merchant: Merchant): WechatpayRefund {
  resource.same('mchid', merchant.mchid);
  return {
    ...readRefundNumbers(resource),
    status: resource.oneOf('refund_status', NOTIFIED_REFUND_STATUSES),
    ...readRefundAmounts(resource.child('amount')),
    acceptedAt: null,
  };
}

function readRefundNumbers(
  source: AnswerReader,
): Omit<WechatpayRefund, 'status' | 'refundAmount' | 'orderAmount' | 'acceptedAt'> {
  return {
    outRefundNo: source.text('out_refund_no'),
    refundId: source.text('refund_id'),
    outTradeNo: source.outTradeNo('out_trade_no'),
    transactionId: source.text('transaction_id'),
    succeededAt: source.optionalTime('success_time'),
    receivedAccount: source.optionalText('user_received_account'),
  };
}

function readRefundAmounts(amount: AnswerReader): { refundAmount: Money; orderAmount: Money } {
  const refundAmount = amount.money('refund');
  const orderAmount = amount.money('total');
  if (refundAmount.isZero()) throw amount.unexpected('refund', 'more than nothing');
  if (refundAmount.fen > orderAmount.fen) throw amount.unexpected('refund', 'at most the total');
  return { refundAmount, orderAmount };
}

/**
 * Reads where a bill lies. Only the query of `download_url` is taken: the host stays the configured one, so no answer
 * can send us, or our signed request, anywhere else. @throws UnexpectedContent
 */
export function readBillTicket(answer: AnswerReader): WechatpayBillTicket {
  answer.same('hash_type', 'SHA1');
  const sha1 = answer.text('hash_value').toLowerCase();
  if (!SHA1_PATTERN.test(sha1)) throw answer.unexpected('hash_value', 'a SHA-1');
  const text = answer.text('download_url');
  const url = URL.canParse(text) ? new URL(text) : null;
  const token = url?.pathname === DOWNLOAD_PATH ? url.searchParams.get('token') : null;
  if (!url || !token) throw answer.unexpected('download_url', 'the address of a bill');
  return { sha1, token, tarType: url.searchParams.get('tartype') };
}

/** The path and query that fetch the bill of a ticket. */
export function billPath(ticket: WechatpayBillTicket): string {
  const tarType = ticket.tarType === null ? '' : `&tartype=${encodeURIComponent(ticket.tarType)}`;
  return `${DOWNLOAD_PATH}?token=${encodeURIComponent(ticket.token)}${tarType}`;
}
