import { describe, expect, it } from 'vitest';
import { readBillRefunds } from './trade-bill.js';

const TITLES = '交易时间,微信订单号,商户订单号,微信退款单号,商户退款单号,商品名称';
const SUMS = ['总交易单数,应结订单总金额', '`1.0,`0.00'];
const bill = (...rows: string[]) => Buffer.from(`\uFEFF${[TITLES, ...rows, ...SUMS, ''].join('\r\n')}`);

describe('readBillRefunds', () => {
  it('finds the columns by their titles, commas inside names included', () => {
    expect(readBillRefunds(bill('`2026-01-27 10:00:00,`4200,`170,`5030,`R1,`a, b,c'))).toEqual([
      { transactionId: '4200', outTradeNo: '170', refundId: '5030', outRefundNo: 'R1' },
    ]);
  });

  it('leaves out payments, which carry 0 where a refund has its number', () => {
    expect(readBillRefunds(bill('`2026-01-27 10:00:00,`4200,`170,`0,`0,`x'))).toEqual([]);
  });

  it('reads an empty day, and a bill without a mark or a last line break', () => {
    expect(readBillRefunds(bill())).toEqual([]);
    expect(
      readBillRefunds(Buffer.from([TITLES, '`t,`4200,`170,`5030,`R1,`x', ...SUMS].join('\n'))),
    ).toHaveLength(1);
  });

  // A cut file whose rest is taken for nothing would hide the refunds behind the cut.
  it('refuses a row that is cut short, and a bill without the columns', () => {
    expect(() => readBillRefunds(bill('`t,`4200,`170'))).toThrow('as long as its titles');
    expect(() => readBillRefunds(Buffer.from('交易时间,微信订单号\r\n'))).toThrow('商户订单号');
  });
});
