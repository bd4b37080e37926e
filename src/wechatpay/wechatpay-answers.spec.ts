import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { AnswerReader, UnexpectedContent } from './answer-reader.js';
import { billPath, readBillTicket, readOrder, readRefund } from './wechatpay-answers.js';

const MERCHANT = { appid: 'wx1234567890abcdef', mchid: '1234567890' };
const OUT_TRADE_NO = '170634567890112345' as OutTradeNo;
const PAID = {
  ...MERCHANT,
  out_trade_no: OUT_TRADE_NO,
  transaction_id: '4200002026012712345678901234',
  trade_type: 'NATIVE',
  trade_state: 'SUCCESS',
  success_time: '2026-01-27T10:00:00+08:00',
  payer: {},
  amount: { total: 2990, payer_total: 2990, currency: 'CNY' },
};
const NOT_PAID = {
  mchid: MERCHANT.mchid,
  out_trade_no: OUT_TRADE_NO,
  trade_state: 'NOTPAY',
  trade_state_desc: '订单未支付',
};
const REFUND = {
  refund_id: '50000000382019052709732678859',
  out_refund_no: 'refund-1',
  transaction_id: PAID.transaction_id,
  out_trade_no: OUT_TRADE_NO,
  channel: 'ORIGINAL',
  user_received_account: '支付用户零钱',
  create_time: '2026-01-28T10:00:00+08:00',
  status: 'PROCESSING',
  amount: { total: 2990, refund: 1000, payer_total: 2990, payer_refund: 1000, currency: 'CNY' },
};

const json = (content: unknown) => AnswerReader.ofJson(Buffer.from(JSON.stringify(content)));
const order = (content: unknown, asked = {}) => readOrder(json(content), MERCHANT, asked);
const ASKED = {
  outRefundNo: 'refund-1',
  order: { outTradeNo: OUT_TRADE_NO },
  refundAmount: Money.ofFen(1000),
  orderAmount: Money.ofFen(2990),
};

describe('readOrder', () => {
  it.each(['SUCCESS', 'REFUND'])('reads %s as paid, with amount and time', (tradeState) => {
    expect(order({ ...PAID, trade_state: tradeState }, { outTradeNo: OUT_TRADE_NO })).toMatchObject({
      state: 'paid',
      tradeState,
      amount: { fen: 2990 },
      paidAt: new Date('2026-01-27T02:00:00Z'),
      openid: null,
    });
  });

  it.each([
    ['NOTPAY', 'unpaid'],
    ['USERPAYING', 'unpaid'],
    ['PAYERROR', 'unpaid'],
    ['CLOSED', 'closed'],
    ['REVOKED', 'closed'],
  ])('reads %s as %s, without what is only known of paid orders', (tradeState, state) => {
    expect(order({ ...NOT_PAID, trade_state: tradeState })).toEqual({
      state,
      tradeState,
      outTradeNo: OUT_TRADE_NO,
      tradeType: null,
    });
  });

  it.each([
    ['another order', PAID, { outTradeNo: '170634567890199999' }],
    ['another transaction', PAID, { transactionId: '4200000000000000000000000000' }],
    ['another merchant', { ...PAID, mchid: '1900000001' }, {}],
    ['another app', { ...PAID, appid: 'wx0000000000000000' }, {}],
    ['an unpaid order of another app', { ...NOT_PAID, appid: 'wx0000000000000000' }, {}],
    ['no app although it is paid', { ...PAID, appid: undefined }, {}],
    ['an amount beyond every column', { ...PAID, amount: { total: 1e12, currency: 'CNY' } }, {}],
    ['a state of tomorrow', { ...PAID, trade_state: 'SETTLED' }, {}],
    ['no state', { ...PAID, trade_state: undefined }, {}],
    ['a day that does not exist', { ...PAID, success_time: '2026-13-27T10:00:00+08:00' }, {}],
  ])('refuses %s', (_what, content, asked) => {
    expect(() => order(content, asked)).toThrow(UnexpectedContent);
  });

  it('takes no amount but whole fen within range for one', () => {
    fc.assert(
      fc.property(fc.anything(), (total) => {
        const isFen =
          typeof total === 'number' && Number.isInteger(total) && total > 0 && total <= 9_999_999_999;
        const read = () =>
          readOrder(AnswerReader.ofJson(Buffer.from(jsonText({ ...PAID, total }))), MERCHANT);
        if (isFen) expect(read()).toMatchObject({ amount: { fen: total } });
        else expect(read).toThrow(UnexpectedContent);
      }),
    );
  });
});

/** `total` moves into the amount; what JSON has no word for is left out, as JSON.stringify does. */
function jsonText({ total, ...rest }: Record<string, unknown>): string {
  try {
    return JSON.stringify({ ...rest, amount: { total, currency: 'CNY' } });
  } catch (error) {
    // fast-check also makes bigints and cycles, which no JSON text can hold.
    if (error instanceof TypeError) return JSON.stringify({ ...rest, amount: { currency: 'CNY' } });
    throw error;
  }
}

describe('readRefund', () => {
  it('reads an accepted refund', () => {
    expect(readRefund(json(REFUND), ASKED)).toMatchObject({
      outRefundNo: 'refund-1',
      status: 'PROCESSING',
      refundAmount: { fen: 1000 },
      orderAmount: { fen: 2990 },
      acceptedAt: new Date('2026-01-28T02:00:00Z'),
      succeededAt: null,
    });
  });

  it('reads a refund asked for by its number alone', () => {
    const done = { ...REFUND, status: 'SUCCESS', success_time: '2026-01-28T10:05:00+08:00' };
    expect(readRefund(json(done), { outRefundNo: 'refund-1' })).toMatchObject({
      status: 'SUCCESS',
      succeededAt: new Date('2026-01-28T02:05:00Z'),
    });
  });

  it.each([
    ['another number', { out_refund_no: 'refund-2' }],
    ['another order', { out_trade_no: '170634567890199999' }],
    ['another amount', { amount: { ...REFUND.amount, refund: 999 } }],
    ['another total', { amount: { ...REFUND.amount, total: 2991 } }],
    ['more than was paid', { amount: { ...REFUND.amount, refund: 2991 } }],
    ['another currency', { amount: { ...REFUND.amount, currency: 'HKD' } }],
    ['no id', { refund_id: '' }],
    // What the refund function answers when it knows nothing.
    ['an unknown status', { status: 'submitted' }],
  ])('refuses %s', (_what, changes) => {
    expect(() => readRefund(json({ ...REFUND, ...changes }), ASKED)).toThrow(UnexpectedContent);
  });

  it('refuses another refund id or transaction than asked', () => {
    expect(() => readRefund(json(REFUND), { outRefundNo: 'refund-1', refundId: '1' })).toThrow(
      UnexpectedContent,
    );
    const asked = { outRefundNo: 'refund-1', order: { transactionId: '42' } };
    expect(() => readRefund(json(REFUND), asked)).toThrow(UnexpectedContent);
  });
});

describe('readBillTicket', () => {
  const ticket = (changes: Record<string, unknown> = {}) =>
    readBillTicket(
      json({
        hash_type: 'SHA1',
        hash_value: '9BB6CD819BE348F17A9CBCEDDDC8EB62FEFBD790',
        download_url: 'https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb%26c&tartype=gzip',
        ...changes,
      }),
    );

  it('keeps the token and leaves the host behind', () => {
    const evil = ticket({ download_url: 'http://169.254.169.254/v3/billdownload/file?token=t' });
    expect(billPath(evil)).toBe('/v3/billdownload/file?token=t');
    expect(ticket()).toEqual({
      sha1: '9bb6cd819be348f17a9cbcedddc8eb62fefbd790',
      token: 'a+b&c',
      tarType: 'gzip',
    });
    expect(billPath(ticket())).toBe('/v3/billdownload/file?token=a%2Bb%26c&tartype=gzip');
  });

  it.each([
    { download_url: 'https://api.mch.weixin.qq.com/v3/other?token=t' },
    { download_url: 'https://api.mch.weixin.qq.com/v3/billdownload/file' },
    { download_url: '/v3/billdownload/file?token=t' },
    { hash_type: 'MD5' },
    { hash_value: 'abc' },
  ])('refuses %o', (changes) => {
    expect(() => ticket(changes)).toThrow(UnexpectedContent);
  });
});

describe('AnswerReader', () => {
  it('refuses bytes that are not JSON in UTF-8, without quoting them', () => {
    for (const bytes of [Buffer.from('CANARY'), Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('')]) {
      expect(() => AnswerReader.ofJson(bytes)).toThrow('the body is not JSON');
    }
  });

  it('does not find fields that an object has by birth', () => {
    expect(() => json({}).text('constructor')).toThrow(UnexpectedContent);
    expect(json({}).optionalText('toString')).toBeNull();
  });
});
