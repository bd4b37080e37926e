import { DAY_MS } from './beijing-time.ts';
import type { RefundEnd } from './ledger.ts';

/** How the notices of one event are sent. */
export type NoticePlan = {
  /** 0: the notice is lost. 2 and more: duplicates, each delivered and retried on its own. */
  readonly copies: number;
  /** When the first attempt is made; another event's shorter delay puts them out of order. */
  readonly delayMs: number;
  /** The first attempt carries a wrong signature, as WeChat Pay sends to find merchants who do not verify. */
  readonly probeFirst: boolean;
  /** Whether duplicates have ids of their own; a redelivery keeps its id. */
  readonly hasOwnIds: boolean;
};

/** What differs between merchants, or is not settled by the documentation; a test may change it at any time. */
export type Settings = {
  /** With which answer the closing of a paid order is refused: all of these are documented somewhere. */
  closePaidAnswer: keyof typeof CLOSE_PAID_ANSWERS;
  /** sparse: an unpaid order has only the fields that are promised. observed: empty ones too, as seen in practice. */
  unpaidAnswer: 'sparse' | 'observed';
  /** When an accepted refund ends by itself; null: only when the test says so. */
  refundEndsAfterMs: number | null;
  refundEnd: RefundEnd;
  /** Two refunds of one order must be this far apart. */
  refundGapMs: number;
  /** WeChat Pay allows 6 failing refund requests a second; null switches the limit off. */
  failingRefundsPerSecondMax: number | null;
  /** What happens to a refund that the merchant's balance does not cover. */
  shortFunds: 'refuse' | 'close-after-seven-days';
  /** What is taken of each payment, in hundredths of a percent. */
  feeBasisPoints: number;
  /** Old merchants still get bills with the column titles of before. */
  billTitles: 'current' | 'old';
  billTokenLifeMs: number;
  /** The host in download_url; null: the simulator's own. */
  billOrigin: string | null;
  /** Where payments are told when an order placed by a test names no place. */
  notifyUrl: string;
  /** The merchant platform's setting, for refunds that name no place; null: nobody is told. */
  refundNotifyUrl: string | null;
  notice: NoticePlan;
  /** The key that signs notices, where there are two; alternate: another one with each attempt. */
  noticesSignedBy: 'certificate' | 'public-key' | 'alternate';
};

export const CLOSE_PAID_ANSWERS = {
  ORDER_PAID: { status: 400, code: 'ORDER_PAID' },
  ORDERPAID: { status: 400, code: 'ORDERPAID' },
  TRADE_ERROR: { status: 403, code: 'TRADE_ERROR' },
  INVALID_REQUEST: { status: 400, code: 'INVALID_REQUEST' },
} as const;

const MINUTE_MS = 60_000;
const BILL_TOKEN_LIFE_MS = 30_000;
/** Accepted although the balance was short: WeChat Pay tries that long before it gives up. */
export const SHORT_FUNDS_TRIED_MS = 7 * DAY_MS;

export function defaultSettings(): Settings {
  return {
    closePaidAnswer: 'ORDER_PAID',
    unpaidAnswer: 'observed',
    refundEndsAfterMs: 5 * MINUTE_MS,
    refundEnd: 'SUCCESS',
    refundGapMs: MINUTE_MS,
    failingRefundsPerSecondMax: null,
    shortFunds: 'refuse',
    feeBasisPoints: 60,
    billTitles: 'current',
    billTokenLifeMs: BILL_TOKEN_LIFE_MS,
    billOrigin: null,
    notifyUrl: 'http://127.0.0.1:8080/api/payment/callback',
    refundNotifyUrl: 'http://127.0.0.1:8080/api/payment/refund-callback',
    notice: { copies: 1, delayMs: 0, probeFirst: false, hasOwnIds: false },
    noticesSignedBy: 'alternate',
  };
}
