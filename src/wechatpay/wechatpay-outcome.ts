import { scrubText } from '../platform/logging/scrub.js';
import { WechatpayError } from './wechatpay.types.js';
import type { WechatpayOutcome } from './wechatpay.types.js';

/**
 * What each code of WeChat Pay asks of us. Codes are written without underscores, because the documents have both
 * (`ORDERNOTEXIST`, `ORDER_NOT_EXIST`). A code that is not listed proves nothing: its outcome is unknown.
 */
const OUTCOME_BY_CODE: Readonly<Record<string, WechatpayOutcome>> = {
  SYSTEMERROR: 'unknown',
  BANKERROR: 'unknown',

  FREQUENCYLIMITED: 'not_accepted',
  RATELIMITEXCEEDED: 'not_accepted',
  RULELIMIT: 'not_accepted',
  NOTENOUGH: 'not_accepted',
  STATEMENTCREATING: 'not_accepted',

  ORDERNOTEXIST: 'not_found',
  RESOURCENOTEXISTS: 'not_found',
  // A day without any payment has no bill.
  NOSTATEMENTEXIST: 'not_found',

  INVALIDREQUEST: 'final',
  USERACCOUNTABNORMAL: 'final',
  ORDERPAID: 'final',
  ORDERCLOSED: 'final',
  OUTTRADENOUSED: 'final',
  TRADEERROR: 'final',

  SIGNERROR: 'misconfigured',
  NOAUTH: 'misconfigured',
  MCHNOTEXISTS: 'misconfigured',
  APPIDMCHIDNOTMATCH: 'misconfigured',
  PARAMERROR: 'misconfigured',
};

/** WeChat Pay asks for this pause after too many queries; its other limits are shorter. */
const LIMITED_RETRY_AFTER_MS = 60_000;
const MESSAGE_LENGTH_MAX = 200;
const CODE_LENGTH_MAX = 64;
/** An openid is 28 characters from `o`; WeChat Pay's explanations may quote the one that was sent. */
const OPENID_PATTERN = /(?<![0-9A-Za-z_-])o[0-9A-Za-z_-]{27}(?![0-9A-Za-z_-])/g;

/** Why nothing usable came back, where WeChat Pay itself gave no code. */
type LocalReason =
  /** No whole answer within the deadline. */
  | 'timeout'
  /** The connection failed or broke. */
  | 'connection'
  | 'too_large'
  /** A success whose signature is missing or wrong: anybody could have sent it. */
  | 'unverified'
  | 'server_error'
  /** Neither a success nor an error as WeChat Pay writes them. */
  | 'not_wechatpay'
  /** Signed, but about something else than was asked, or not as the interface says. */
  | 'unexpected_content';

const WORDS_BY_REASON: Record<LocalReason, string> = {
  timeout: 'WeChat Pay did not answer in time',
  connection: 'The connection to WeChat Pay failed',
  too_large: 'The answer of WeChat Pay was too large',
  unverified: 'The answer is not proven to come from WeChat Pay',
  server_error: 'WeChat Pay failed',
  not_wechatpay: 'Something else than WeChat Pay answered',
  unexpected_content: 'The answer of WeChat Pay does not match the question',
};

/** These speak of the way to WeChat Pay and not of one order: several in a row open the circuit breaker. */
const CHANNEL_REASONS: ReadonlySet<string> = new Set([
  'timeout',
  'connection',
  'too_large',
  'unverified',
  'server_error',
  'not_wechatpay',
  'SYSTEMERROR',
] satisfies (LocalReason | 'SYSTEMERROR')[]);

type Origin = { readonly httpStatus?: number; readonly requestId?: string };

export function unknownOutcome(
  reason: LocalReason,
  origin: Origin & { readonly detail?: string } = {},
): WechatpayError {
  const { detail, ...rest } = origin;
  const words = detail ? `${WORDS_BY_REASON[reason]} (${detail})` : WORDS_BY_REASON[reason];
  return new WechatpayError('unknown', {
    reason,
    message: `${words}: the outcome is unknown until asked again.`,
    ...rest,
  });
}

/** A call that was held back here and never sent. */
export function heldBack(reason: 'breaker_open' | 'rate_limited', retryAfterMs: number): WechatpayError {
  const words =
    reason === 'breaker_open' ? 'WeChat Pay cannot be reached at the moment' : 'Too many calls to WeChat Pay';
  return new WechatpayError('not_accepted', { reason, message: `${words}: try again later.`, retryAfterMs });
}

/** A refused download: the address of a bill is good for a short time and can be asked for again. */
export function billExpired(refusal: WechatpayError): WechatpayError {
  return new WechatpayError('not_accepted', {
    reason: refusal.reason,
    message: 'The address of this bill is no longer good: ask for the bill again.',
    httpStatus: refusal.httpStatus ?? undefined,
    requestId: refusal.requestId ?? undefined,
  });
}

/** The failure that a status outside the expected one stands for. The body is not signed: only its code and message are read. */
export function failureOfAnswer(answer: {
  readonly status: number;
  readonly body: Buffer;
  readonly requestId?: string;
}): WechatpayError {
  const origin: Origin = { httpStatus: answer.status, requestId: answer.requestId };
  const { code, message } = readError(answer.body);
  // After a 5xx the effect may be there whatever the body says.
  if (answer.status >= 500) return unknownOutcome('server_error', { ...origin, detail: code ?? undefined });
  if (answer.status === 429) return limited(code ?? 'FREQUENCYLIMITED', origin);
  if (answer.status >= 200 && answer.status < 300) return unknownOutcome('unexpected_content', origin);
  if (answer.status < 400 || code === null) return unknownOutcome('not_wechatpay', origin);
  const outcome = OUTCOME_BY_CODE[code] ?? 'unknown';
  if (code === 'FREQUENCYLIMITED' || code === 'RULELIMIT') return limited(code, origin);
  return new WechatpayError(outcome, { reason: code, message: wordsFor(outcome, code, message), ...origin });
}

export function isChannelFailure(error: WechatpayError): boolean {
  return error.outcome === 'unknown' && CHANNEL_REASONS.has(error.reason);
}

function limited(code: string, origin: Origin): WechatpayError {
  return new WechatpayError('not_accepted', {
    reason: code,
    message: 'WeChat Pay has too many calls from this merchant: try again later.',
    retryAfterMs: LIMITED_RETRY_AFTER_MS,
    ...origin,
  });
}

function wordsFor(outcome: WechatpayOutcome, code: string, message: string): string {
  if (outcome === 'misconfigured')
    return `WeChat Pay refuses how this backend is set up (${code}): ${message}`;
  if (outcome === 'unknown') return `WeChat Pay answered ${code}, which settles nothing: ${message}`;
  return `WeChat Pay refused (${code}): ${message}`;
}

function readError(body: Buffer): { code: string | null; message: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    // A gateway's HTML page: there is no code in it.
    return { code: null, message: '' };
  }
  const { code, message } = (parsed ?? {}) as { code?: unknown; message?: unknown };
  const isCode = typeof code === 'string' && code.length <= CODE_LENGTH_MAX && /^[A-Z][A-Z0-9_]*$/.test(code);
  return {
    code: isCode ? code.replaceAll('_', '') : null,
    message: typeof message === 'string' ? presentable(message) : '',
  };
}

/** The words are WeChat Pay's, or those of whoever answered in its place: bounded, on one line, without what they may quote. */
function presentable(message: string): string {
  return scrubText(message).replace(OPENID_PATTERN, '***').slice(0, MESSAGE_LENGTH_MAX);
}
