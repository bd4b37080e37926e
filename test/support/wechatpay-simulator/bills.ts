import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ApiError, invalidRequest, paramError } from './api-error.ts';
import { DAY_MS, startOfBeijingDayMs, toBeijingDate } from './beijing-time.ts';
import { writeFundFlowBill } from './fund-flow-bill.ts';
import type { JsonObject } from './fields.ts';
import { TRADE_BILLS, writeTradeBill } from './trade-bill.ts';
import type { BillDay } from './trade-bill.ts';
import type { World } from './world.ts';

const ACCOUNTS = ['BASIC', 'OPERATION', 'FEES'] as const;
const HOUR_MS = 3_600_000;
/** The bill of a day is written on the next one, at ten in the morning in Beijing. */
const WRITTEN_AFTER_MS = DAY_MS + 10 * HOUR_MS;
const DAYS_BACK_MAX = 90;

type Ticket = { readonly file: Buffer; readonly isGzip: boolean; readonly expiresAtMs: number };

/** Bills: applied for with one request, downloaded with another within seconds. */
export class Bills {
  private readonly world: World;
  private readonly ownOrigin: () => string;
  private readonly tickets = new Map<string, Ticket>();

  constructor(world: World, ownOrigin: () => string) {
    this.world = world;
    this.ownOrigin = ownOrigin;
  }

  applyForTrades(query: URLSearchParams): JsonObject {
    const kind = readOneOf(query, 'bill_type', TRADE_BILLS);
    const day = this.readDay(query);
    const { ledger, merchant, settings } = this.world;
    return this.hand(query, writeTradeBill(ledger, { merchant, settings, day, kind }));
  }

  applyForFundFlow(query: URLSearchParams): JsonObject {
    const account = readOneOf(query, 'account_type', ACCOUNTS);
    const day = this.readDay(query);
    return this.hand(query, account === 'BASIC' ? writeFundFlowBill(this.world.ledger, day) : null);
  }

  download(query: URLSearchParams): Buffer {
    const ticket = this.tickets.get(query.get('token') ?? '');
    if (!ticket || this.world.clock.nowMs() >= ticket.expiresAtMs) {
      throw invalidRequest('下载链接已失效，请重新申请账单');
    }
    return ticket.isGzip ? gzipSync(ticket.file) : ticket.file;
  }

  private hand(query: URLSearchParams, file: Buffer | null): JsonObject {
    const isGzip = query.has('tar_type') && readOneOf(query, 'tar_type', ['GZIP']) === 'GZIP';
    if (!file) throw billError('NO_STATEMENT_EXIST', '请求的账单文件不存在');
    const { settings, clock } = this.world;
    const token = randomBytes(32).toString('base64url');
    this.tickets.set(token, { file, isGzip, expiresAtMs: clock.nowMs() + settings.billTokenLifeMs });
    const origin = settings.billOrigin ?? this.ownOrigin();
    return {
      hash_type: 'SHA1',
      // Of the file before it is packed, its byte order mark included.
      hash_value: createHash('sha1').update(file).digest('hex'),
      download_url: `${origin}/v3/billdownload/file?token=${token}${isGzip ? '&tartype=gzip' : ''}`,
    };
  }

  private readDay(query: URLSearchParams): BillDay {
    const date = query.get('bill_date');
    const startMs = date === null ? null : startOfBeijingDayMs(date);
    if (startMs === null) throw paramError('输入源“/query/bill_date”格式错误', { location: 'query' });
    const nowMs = this.world.clock.nowMs();
    const today = toBeijingDate(nowMs);
    if (date === null || date >= today) throw invalidRequest('账单日期必须早于今天');
    if (nowMs - startMs > DAYS_BACK_MAX * DAY_MS) throw invalidRequest('仅支持下载三个月以内的账单');
    const writtenMs = startMs + WRITTEN_AFTER_MS;
    if (nowMs < writtenMs) throw billError('STATEMENT_CREATING', '账单生成中，请稍后再试');
    return { startMs, endMs: startMs + DAY_MS, writtenMs };
  }
}

/** @returns the parameter's value, or the first of the allowed ones when it is absent */
function readOneOf<Value extends string>(
  query: URLSearchParams,
  name: string,
  allowed: readonly [Value, ...Value[]],
): Value {
  const given = query.get(name);
  const value = given === null ? allowed[0] : allowed.find((one) => one === given);
  if (!value) throw paramError(`输入源“/query/${name}”枚举值错误`, { location: 'query' });
  return value;
}

function billError(code: string, message: string): ApiError {
  return new ApiError({ status: 400, code, message });
}
