import { scrubText } from '../platform/logging/scrub.js';
import type { FunctionRefundAnswer, FunctionRefundRequest } from './cloud-function.types.js';

const STATUSES = ['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const;
const REFUND_ID_PATTERN = /^[0-9A-Za-z]{1,32}$/;
const WORDS_LENGTH_MAX = 120;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the answer of the deployed function (`{code, msg, data:{refund_id, out_refund_no, status, amount}}`, which says
 * `code: 0` for some failures too) and of one that follows the contract's camel case.
 */
export function readRefundAnswer(text: string, asked: FunctionRefundRequest): FunctionRefundAnswer {
  const body = parse(text);
  if (!body) return unknown('not_json');
  const words = wordsOf(body);
  if (body.code !== 0 && body.success !== true) return unknown(codeOf(body), words);
  const data = asFields(body.data) ?? body;
  const refundId = data.refund_id ?? data.refundId;
  const status = STATUSES.find((known) => known === data.status);
  if (typeof refundId !== 'string' || !REFUND_ID_PATTERN.test(refundId)) {
    return unknown('no_refund_id', words);
  }
  if (!status) return unknown('no_status', words);
  const outRefundNo = data.out_refund_no ?? data.outRefundNo;
  if (outRefundNo !== undefined && outRefundNo !== asked.outRefundNo) return unknown('other_refund', words);
  const refundFen = asFields(data.amount)?.refund;
  if (refundFen !== undefined && refundFen !== asked.refundAmount.fen) return unknown('other_amount', words);
  return { kind: 'accepted', refundId, status };
}

export function unknown(reason: string, words = ''): FunctionRefundAnswer {
  return { kind: 'unknown', reason, words };
}

function parse(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text));
  } catch {
    // A gateway's HTML page.
    return null;
  }
}

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** The function's `-1`, or a platform's `FUNCTION_TIME_LIMIT_EXCEEDED`. */
function codeOf({ code, errcode }: Fields): string {
  const given = code ?? errcode;
  if (typeof given === 'number' && Number.isSafeInteger(given)) return `code_${given}`;
  return typeof given === 'string' && /^[A-Za-z0-9_.-]{1,60}$/.test(given) ? given : 'no_code';
}

function wordsOf({ msg, message, errmsg }: Fields): string {
  const words = [msg, message, errmsg].find((text) => typeof text === 'string');
  return typeof words === 'string' ? scrubText(words).slice(0, WORDS_LENGTH_MAX) : '';
}
