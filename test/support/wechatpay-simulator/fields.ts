import { paramError } from './api-error.ts';

export type JsonObject = Record<string, unknown>;

const OUT_TRADE_NO = /^[0-9A-Za-z_\-|*]{6,32}$/;
const OUT_REFUND_NO = /^[0-9A-Za-z_\-|*@]{1,64}$/;
const NOTIFY_URL_LENGTH_MAX = 256;

/** Reads the fields of a request body and refuses what WeChat Pay refuses, in its words. */
export class Fields {
  private readonly values: JsonObject;
  private readonly path: string;

  constructor(values: unknown, path = '/body') {
    if (!isObject(values)) throw paramError(`输入源“${path}”不是JSON对象`, { location: 'body' });
    this.values = values;
    this.path = path;
  }

  static ofBody(body: Buffer): Fields {
    return new Fields(parseJson(body));
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  text(name: string, bytesMax: number): string {
    const value = this.values[name];
    if (value === undefined || value === null || value === '') throw this.missing(name);
    if (typeof value !== 'string') throw this.wrong(name, '类型应为字符串');
    if (Buffer.byteLength(value) > bytesMax) throw this.wrong(name, `长度不能超过${bytesMax}`);
    return value;
  }

  optionalText(name: string, bytesMax: number): string | null {
    return this.has(name) ? this.text(name, bytesMax) : null;
  }

  positiveInteger(name: string): number {
    const value = this.values[name];
    if (value === undefined || value === null) throw this.missing(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.wrong(name, '类型应为整数');
    if (value < 1) throw this.wrong(name, '应大于0');
    return value;
  }

  oneOf(name: string, allowed: readonly string[]): string {
    const value = this.text(name, 64);
    if (!allowed.includes(value)) throw this.wrong(name, '枚举值错误');
    return value;
  }

  object(name: string): Fields {
    if (!this.has(name)) throw this.missing(name);
    return new Fields(this.values[name], `${this.path}/${name}`);
  }

  outTradeNo(name = 'out_trade_no'): string {
    return this.matching(name, OUT_TRADE_NO, 32);
  }

  outRefundNo(name = 'out_refund_no'): string {
    return this.matching(name, OUT_REFUND_NO, 64);
  }

  /** Absolute, http or https, and without a query: WeChat Pay would cut the query off. */
  notifyUrl(name = 'notify_url'): string {
    const value = this.text(name, NOTIFY_URL_LENGTH_MAX);
    if (!/^https?:\/\//.test(value) || !URL.canParse(value) || value.includes('?')) {
      throw this.wrong(name, '应为不带参数的http或https绝对地址');
    }
    return value;
  }

  wrong(name: string, reason: string): Error {
    return paramError(`输入源“${this.path}/${name}”${reason}`, { location: 'body', field: name });
  }

  private matching(name: string, pattern: RegExp, bytesMax: number): string {
    const value = this.text(name, bytesMax);
    if (!pattern.test(value)) throw this.wrong(name, '格式错误');
    return value;
  }

  private missing(name: string): Error {
    return paramError(`输入源“${this.path}/${name}”必填性规则校验失败，此字段为必填项`, {
      location: 'body',
      field: name,
    });
  }
}

/** The parameters of a request as one text, whatever order they came in: equal texts are the same request. */
export function fingerprint(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(fingerprint).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${fingerprint(value[name])}`).join(',')}}`;
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw paramError('请求报文不是合法的JSON', { location: 'body' });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
