import { AMOUNT_FEN_MAX, Money } from '../shared/money.js';
import { isId } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { OrderCreatedDto } from './order-created.dto.js';
import type { PaymentNotifiedDto } from './payment-notified.dto.js';

/** What is kept of an `order-created` body: text and numbers as they came, odd types dropped, lengths bounded. */
export type OrderCreatedMessage = {
  readonly outTradeNo: OutTradeNo;
  readonly orderId: string | null;
  readonly userId: string | null;
  readonly openid: string | null;
  readonly unionid: string | null;
  /** As written, for the operator, when it is no amount. */
  readonly statedAmount: string | null;
  readonly packageType: string | null;
  readonly tradeType: string | null;
  readonly status: string | null;
};

/** Kept for diagnosis; no part of what makes two messages the same, because it changes from repeat to repeat. */
export type OrderCreatedRemarks = { readonly reason: string | null; readonly dbErrorCode: string | null };

export type PaymentNotifiedMessage = {
  readonly outTradeNo: OutTradeNo;
  readonly transactionId: string | null;
  readonly status: string | null;
  readonly packageType: string | null;
  readonly generationId: string | null;
  readonly openid: string | null;
};

const WORD_LENGTH_MAX = 40;
const OPENID_PATTERN = /^[\x21-\x7e]{1,100}$/;
const TRANSACTION_ID_PATTERN = /^[0-9A-Za-z_-]{1,64}$/;

export function readOrderCreated(dto: OrderCreatedDto): {
  message: OrderCreatedMessage;
  remarks: OrderCreatedRemarks;
} {
  return {
    message: {
      outTradeNo: dto.outTradeNo as OutTradeNo,
      orderId: id(dto.orderId),
      userId: id(dto.userId),
      openid: openid(dto.openid),
      unionid: openid(dto.unionid),
      statedAmount: word(dto.amount),
      packageType: word(dto.packageType)?.toLowerCase() ?? null,
      tradeType: word(dto.tradeType)?.toUpperCase() ?? null,
      status: word(dto.status)?.toLowerCase() ?? null,
    },
    remarks: { reason: word(dto.reason), dbErrorCode: errorCode(dto.dbError) },
  };
}

export function readPaymentNotified(dto: PaymentNotifiedDto): PaymentNotifiedMessage {
  const transactionId = word(dto.transactionId, 64);
  return {
    outTradeNo: dto.outTradeNo as OutTradeNo,
    transactionId: transactionId && TRANSACTION_ID_PATTERN.test(transactionId) ? transactionId : null,
    status: word(dto.status)?.toLowerCase() ?? null,
    packageType: word(dto.packageType)?.toLowerCase() ?? null,
    generationId: id(dto.generationId),
    openid: openid(dto.openid),
  };
}

/** Fen, as a whole number or its text; null for anything that no order can cost. */
export function readAmount(stated: string | null): Money | null {
  if (!stated || !/^\d{1,12}(\.0{1,4})?$/.test(stated)) return null;
  const fen = Number(stated.split('.')[0]);
  return fen >= 1 && fen <= AMOUNT_FEN_MAX ? Money.ofFen(fen) : null;
}

/** Short text; numbers become text while they are exact, everything else is dropped. */
function word(value: unknown, lengthMax = WORD_LENGTH_MAX): string | null {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : null;
  if (typeof value !== 'string') return null;
  // Half of a surrogate pair is no text to MySQL and would make the whole message unreadable there.
  return value.trim().toWellFormed().slice(0, lengthMax).toWellFormed() || null;
}

function id(value: unknown): string | null {
  const text = word(value);
  return isId(text) ? text : null;
}

function openid(value: unknown): string | null {
  const text = word(value, 101);
  return text && OPENID_PATTERN.test(text) ? text : null;
}

/** The error's code and no more: error texts of database drivers carry addresses, users and passwords. */
function errorCode(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const code = /\b(?:E[A-Z]{4,20}|ER_[A-Z_]{3,40}|PROTOCOL_[A-Z_]{3,40})\b/.exec(value);
  if (code) return code[0];
  return /time\s?d?\s?-?out/i.test(value) ? 'TIMEOUT' : 'OTHER';
}
