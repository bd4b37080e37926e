import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './wechatpay-simulator/api-error.ts';

/**
 * What can go wrong with one call. `before`: WeChat Pay was not asked. `after`: it was, and only the answer is missing or
 * worthless. blank: `code` 0 and none of the fields of a refund. refused: `code` -1. platform-timeout: the function was
 * stopped by its platform.
 */
export const FUNCTION_FAULT_KINDS = [
  'blank-before',
  'blank-after',
  'refused-before',
  'refused-after',
  'platform-timeout-before',
  'platform-timeout-after',
  'html-502-before',
  'html-502-after',
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
] as const;
type FunctionFaultKind = (typeof FUNCTION_FAULT_KINDS)[number];

/** Another body in place of what the function would have answered after the effect. */
type RewriteFault = { readonly rewrite: (answer: Json) => unknown };
export type FunctionFault = FunctionFaultKind | RewriteFault;

type Json = Record<string, unknown>;
type Answer = { readonly status: number; readonly type: string; readonly body: string };

/** Of the function's own `refunds` rows. as-deployed: the contract's table refuses them. stored: it takes them. */
export type FunctionRows = {
  readonly shape: 'as-deployed' | 'stored';
  readonly query: (sql: string, values: (string | number)[]) => Promise<unknown>;
};

/** One call that reached the stand-in, whatever became of it. */
export type FunctionCall = {
  readonly isAuthorized: boolean;
  /** What was sent, parsed; null when it was no JSON object. */
  readonly event: Json | null;
  readonly fault: FunctionFault | null;
  /** What was answered; null when nothing was. */
  status: number | null;
};

type Options = {
  /** Where refunds are asked for: the simulated WeChat Pay. */
  readonly wechatpay: { requestRefund(body: unknown): Json };
  readonly token?: string;
  /** Nothing is written to `refunds` when absent. */
  readonly rows?: FunctionRows;
};

const HOST = '127.0.0.1';
const PATH = '/v1/functions/wxpayFunctions';
const BODY_BYTES_MAX = 256 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const BAD_GATEWAY: Answer = {
  status: 502,
  type: 'text/html',
  body: '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n',
};

/** Starts what answers like the deployed `wxpayFunctions` behind its platform's HTTP API, on a port of this machine. */
export async function startCloudFunctionStandIn(options: Options): Promise<CloudFunctionStandIn> {
  const standIn = new CloudFunctionStandIn(options);
  await standIn.listen();
  return standIn;
}

export class CloudFunctionStandIn {
  /** The oldest first. */
  readonly calls: FunctionCall[] = [];
  /** What the database said to rows that it did not take; the function itself tells nobody. */
  readonly rowErrors: string[] = [];
  rows: FunctionRows | null;
  private readonly token: string;
  private readonly wechatpay: Options['wechatpay'];
  private readonly server: Server;
  private faults: { readonly fault: FunctionFault; timesLeft: number }[] = [];

  constructor({ wechatpay, token, rows }: Options) {
    this.wechatpay = wechatpay;
    this.token = token ?? randomBytes(24).toString('hex');
    this.rows = rows ?? null;
    this.server = createServer((request, response) => {
      this.receive(request, response).catch((error: unknown) => {
        // A client may go away in the middle of its body; anything else is a mistake in the stand-in itself.
        if (request.complete)
          process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        response.socket?.resetAndDestroy();
      });
    });
  }

  get url(): string {
    return `http://${HOST}:${(this.server.address() as AddressInfo).port}${PATH}`;
  }

  /** The variables that have a backend refund by way of this function. */
  get env(): Record<'REFUND_CHANNEL' | 'CLOUD_FUNCTION_URL' | 'CLOUD_FUNCTION_TOKEN', string> {
    return {
      REFUND_CHANNEL: 'cloud-function',
      CLOUD_FUNCTION_URL: this.url,
      CLOUD_FUNCTION_TOKEN: this.token,
    };
  }

  /** Has the next calls fail; switches are used up in the order they were set. */
  failNext(fault: FunctionFault, times = 1): void {
    this.faults.push({ fault, timesLeft: times });
  }

  heal(): void {
    this.faults = [];
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, HOST, resolve);
    });
  }

  /** Also ends the connections that are left hanging. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const event = parseObject(await readBody(request));
    const isAuthorized = this.isAuthorized(request.headers.authorization);
    const isCall = request.method === 'POST' && request.url === PATH && isAuthorized && event !== null;
    const fault = isCall ? this.takeFault() : null;
    const call: FunctionCall = { isAuthorized, event, fault, status: null };
    this.calls.push(call);
    const reply = ({ status, type, body }: Answer) => {
      call.status = status;
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
    };
    if (request.url !== PATH) return reply(platformError(404, 'FUNCTION_NOT_FOUND'));
    if (!isAuthorized) return reply(platformError(401, 'EXCEED_AUTHORITY'));
    if (!isCall) return reply(platformError(400, 'FUNCTION_PARAM_INVALID'));
    const answer = await this.answer(event, fault);
    if (answer === 'reset') response.socket?.resetAndDestroy();
    else if (answer !== 'hang') reply(answer);
  }

  private async answer(event: Json, fault: FunctionFault | null): Promise<Answer | 'hang' | 'reset'> {
    const isBefore = typeof fault === 'string' && fault.endsWith('-before');
    const honest = isBefore ? {} : await this.run(event);
    if (fault === null) return toAnswer(honest);
    if (typeof fault === 'object') return toAnswer(fault.rewrite(honest));
    switch (fault) {
      case 'blank-before':
      case 'blank-after':
        return toAnswer({ code: 0, msg: 'success', data: {} });
      case 'refused-before':
      case 'refused-after':
        return toAnswer({ code: -1, msg: 'request:fail timeout' });
      case 'platform-timeout-before':
      case 'platform-timeout-after':
        return platformError(500, 'FUNCTION_TIME_LIMIT_EXCEEDED');
      case 'html-502-before':
      case 'html-502-after':
        return BAD_GATEWAY;
      case 'hang-before':
      case 'hang-after':
        return 'hang';
      case 'reset-before':
      case 'reset-after':
        return 'reset';
    }
  }

  /** The function itself. Of the contract's `outTradeNo`, `refundAmount` and `reason` it reads none. */
  private async run(event: Json): Promise<Json> {
    if (event.type !== 'wxpay_refund') return { code: -1, msg: `未知的请求类型: ${String(event.type)}` };
    const { out_trade_no, transaction_id } = event;
    const out_refund_no = event.out_refund_no ?? inventRefundNo();
    try {
      const amount = { currency: 'CNY', ...(event.amount as Json | undefined) };
      const refund = this.wechatpay.requestRefund({
        ...(out_trade_no ? { out_trade_no } : {}),
        ...(transaction_id ? { transaction_id } : {}),
        out_refund_no,
        amount,
      });
      await this.write(refund, amount);
      const { refund_id, status } = refund;
      return {
        code: 0,
        msg: 'success',
        data: { refund_id, out_refund_no, status, amount: refund.amount },
      };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { code: -1, msg: error.message };
    }
  }

  /** Fen in the columns of yuan, as ever; and nobody hears of what the database refuses. */
  private async write(refund: Json, amount: Json): Promise<void> {
    if (!this.rows) return;
    const no = String(refund.out_refund_no);
    const isStored = this.rows.shape === 'stored';
    const row: Record<string, string | number> = {
      ...(isStored && { id: `refund-${no}`.slice(0, 36) }),
      out_refund_no: no,
      refund_id: String(refund.refund_id),
      out_trade_no: String(refund.out_trade_no),
      transaction_id: String(refund.transaction_id),
      refund_amount: Number(amount.refund),
      total_amount: Number(amount.total),
      status: isStored ? 'pending' : String(refund.status),
      ...(!isStored && { created_at: new Date().toISOString() }),
    };
    const names = Object.keys(row);
    const marks = names.map(() => '?').join(', ');
    try {
      await this.rows.query(
        `INSERT INTO refunds (${names.join(', ')}) VALUES (${marks})`,
        Object.values(row),
      );
    } catch (error) {
      this.rowErrors.push(error instanceof Error ? error.message : String(error));
    }
  }

  private takeFault(): FunctionFault | null {
    const [next] = this.faults;
    if (!next) return null;
    next.timesLeft -= 1;
    if (next.timesLeft <= 0) this.faults.shift();
    return next.fault;
  }

  private isAuthorized(header: string | undefined): boolean {
    const given = Buffer.from(header ?? '');
    const expected = Buffer.from(`Bearer ${this.token}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

function toAnswer(body: unknown): Answer {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(body) };
}

/** In the platform's form, which is not the function's. Which status goes with which code is documented nowhere. */
function platformError(status: number, code: string): Answer {
  const requestId = randomBytes(8).toString('hex');
  return { ...toAnswer({ code, message: `${code} (by the platform)`, requestId }), status };
}

function inventRefundNo(): string {
  return `refund_${Date.now()}${randomBytes(4).toString('hex')}`;
}

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Error('the body is larger than any call');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
