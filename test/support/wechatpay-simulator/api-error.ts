/** An answer that is not a 2xx, with WeChat Pay's own code. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: unknown;

  constructor(answer: { status: number; code: string; message: string; detail?: unknown }) {
    super(answer.message);
    this.status = answer.status;
    this.code = answer.code;
    this.detail = answer.detail;
  }

  get body(): Record<string, unknown> {
    const body = { code: this.code, message: this.message };
    return this.detail === undefined ? body : { ...body, detail: this.detail };
  }
}

export function paramError(message: string, detail?: unknown): ApiError {
  return new ApiError({ status: 400, code: 'PARAM_ERROR', message, detail });
}

export function invalidRequest(message: string): ApiError {
  return new ApiError({ status: 400, code: 'INVALID_REQUEST', message });
}

export function tooMany(message = '频率超限，请稍后重试'): ApiError {
  return new ApiError({ status: 429, code: 'FREQUENCY_LIMITED', message });
}

export function systemError(): ApiError {
  return new ApiError({ status: 500, code: 'SYSTEM_ERROR', message: '系统异常，请稍后重试' });
}

/** The number behind the dash of a Request-ID tells WeChat's support what happened; 0 is success. */
const INTERNAL_NUMBERS: Readonly<Record<string, number>> = {
  ORDER_NOT_EXIST: 268512771,
  FREQUENCY_LIMITED: 268447840,
  ORDER_PAID: 268449538,
  SIGN_ERROR: 268443699,
  OUT_TRADE_NO_USED: 268498688,
};

const OTHER_ERROR_NUMBER = 268435456;

export function internalNumber(code: string | null): number {
  if (code === null) return 0;
  return INTERNAL_NUMBERS[code] ?? OTHER_ERROR_NUMBER;
}
