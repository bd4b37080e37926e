import { describe, expect, it } from 'vitest';
import { readAmount, readOrderCreated, readPaymentNotified } from './message-reading.js';

const NUMBER = '170634567890112345';

describe('reading order-created', () => {
  it('keeps what the deployed callers send', () => {
    const { message } = readOrderCreated({
      outTradeNo: NUMBER,
      userId: 104,
      openid: '',
      amount: '2990',
      tradeType: 'h5',
    });
    expect(message).toMatchObject({
      userId: '104',
      openid: null,
      statedAmount: '2990',
      tradeType: 'H5',
      packageType: null,
    });
  });

  it('drops what is no text, instead of failing', () => {
    const odd = { a: 1 };
    const { message } = readOrderCreated({
      outTradeNo: NUMBER,
      userId: odd,
      openid: [odd],
      amount: odd,
      packageType: true,
    });
    expect(message).toMatchObject({ userId: null, openid: null, statedAmount: null, packageType: null });
  });

  // The text of a driver's error can hold the database password (I17).
  it('keeps nothing of a database error but its code', () => {
    const remarks = (dbError: string) =>
      readOrderCreated({ outTradeNo: NUMBER, dbError }).remarks.dbErrorCode;
    expect(remarks('connect ECONNREFUSED mysql://u:CANARY@db')).toBe('ECONNREFUSED');
    expect(remarks('ER_ACCESS_DENIED_ERROR: CANARY')).toBe('ER_ACCESS_DENIED_ERROR');
    expect(remarks('Connection timeout CANARY')).toBe('TIMEOUT');
    expect(remarks('CANARY')).toBe('OTHER');
  });

  // JSON may spell half an emoji; MySQL refuses the text, and the message would never leave the spool.
  it('repairs broken text', () => {
    const { message } = readOrderCreated({ outTradeNo: NUMBER, packageType: 'x\ud83d' });
    expect(message.packageType?.isWellFormed()).toBe(true);
  });
});

describe('reading amounts', () => {
  it('takes whole fen as number or text', () => {
    expect(readAmount('2990')?.fen).toBe(2990);
    expect(readAmount('2990.00')?.fen).toBe(2990);
  });

  it('takes nothing that no order can cost', () => {
    for (const stated of [null, '', '0', '-1', '29.9', '1e3', 'NaN', '10000000000', '9'.repeat(20)]) {
      expect(readAmount(stated)).toBeNull();
    }
  });
});

describe('reading notify', () => {
  it('treats a transaction id that is none as missing', () => {
    for (const transactionId of [null, '', ' ', { id: 1 }, 'x y', 2 ** 60]) {
      expect(readPaymentNotified({ outTradeNo: NUMBER, transactionId }).transactionId).toBeNull();
    }
  });
});
