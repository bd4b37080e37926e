import { describe, expect, it } from 'vitest';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { readRefundAnswer } from './refund-answer.js';

const ASKED = {
  outRefundNo: 'RF1',
  outTradeNo: '170634567890112345' as OutTradeNo,
  transactionId: null,
  refundAmount: Money.ofFen(1000),
  orderAmount: Money.ofFen(2990),
  reason: 'x',
};
const read = (answer: unknown) => readRefundAnswer(JSON.stringify(answer), ASKED);
const data = {
  refund_id: '50300001',
  out_refund_no: 'RF1',
  status: 'PROCESSING',
  amount: { refund: 1000, total: 2990 },
};

describe('readRefundAnswer', () => {
  it('takes the deployed function’s answer, and one in the contract’s camel case', () => {
    const accepted = { kind: 'accepted', refundId: '50300001', status: 'PROCESSING' };
    expect(read({ code: 0, msg: 'success', data })).toEqual(accepted);
    expect(
      read({ success: true, data: { refundId: '50300001', outRefundNo: 'RF1', status: 'PROCESSING' } }),
    ).toEqual(accepted);
  });

  // The function says `code: 0` also where it got nothing from WeChat Pay: a refund taken for made would be lost.
  it.each([
    ['no refund id', { code: 0, msg: 'success', data: {} }, 'no_refund_id'],
    ['no data', { code: 0, msg: 'success' }, 'no_refund_id'],
    ['a status of its own', { code: 0, data: { ...data, status: 'submitted' } }, 'no_status'],
    ['another refund', { code: 0, data: { ...data, out_refund_no: 'RF2' } }, 'other_refund'],
    ['another amount', { code: 0, data: { ...data, amount: { refund: 1001 } } }, 'other_amount'],
    ['a refusal', { code: -1, msg: 'no' }, 'code_-1'],
    [
      'the platform’s error',
      { code: 'FUNCTION_TIME_LIMIT_EXCEEDED', message: 'x' },
      'FUNCTION_TIME_LIMIT_EXCEEDED',
    ],
    ['another API’s error', { errcode: 40001, errmsg: 'x' }, 'code_40001'],
    ['a list', [], 'not_json'],
  ])('knows nothing from %s', (_name, answer, reason) => {
    expect(read(answer)).toMatchObject({ kind: 'unknown', reason });
  });

  it('knows nothing from a page, and repeats no secret of it', () => {
    expect(readRefundAnswer('<html>502</html>', ASKED)).toMatchObject({
      kind: 'unknown',
      reason: 'not_json',
    });
    const said = read({ code: -1, msg: `token=abcdef openid: oABC ${'x'.repeat(500)}` });
    expect(JSON.stringify(said)).not.toContain('abcdef');
    expect(JSON.stringify(said).length).toBeLessThan(250);
  });
});
