import { Rsa } from 'wechatpay-axios-plugin';
import type { WechatpayConfig } from '../platform/config/wechatpay-config.js';
import type { AppLogger, LogFields } from '../platform/logging/app-logger.js';
import type { Clock } from '../shared/clock.js';
import type { OutTradeNo } from '../shared/ids.js';
import { AnswerReader, UnexpectedContent } from './answer-reader.js';
import { BILL_BYTES_MAX, unpackBill } from './bill-file.js';
import { readBillRefunds } from './trade-bill.js';
import { billPath, readBillTicket, readOrder, readRefund } from './wechatpay-answers.js';
import type { AskedRefund } from './wechatpay-answers.js';
import { WechatpayCalls } from './wechatpay-calls.js';
import type { WechatpayCall } from './wechatpay-calls.js';
import { pathPart, requireMatch } from './wechatpay-numbers.js';
import { billExpired, unknownOutcome } from './wechatpay-outcome.js';
import { WechatpayTransport } from './wechatpay-transport.js';
import type { WechatpayAnswer } from './wechatpay-transport.js';
import { WechatpayError } from './wechatpay.types.js';
import type {
  AbnormalRefundRequest,
  AskOptions,
  FundFlowBillRequest,
  RefundRequest,
  TradeBillRequest,
  WechatpayBillRefund,
  WechatpayBillTicket,
  WechatpayOrder,
  WechatpayRefund,
} from './wechatpay.types.js';

/** WeChat Pay answers within a second as a rule; who waits longer waits for nothing. */
const CALL_DEADLINE_MS = 5000;
/** A day of a large shop takes its time; WeChat Pay keeps the address open for 30 seconds at least. */
const BILL_DEADLINE_MS = 30_000;
/** The largest answers are some kilobytes. */
const ANSWER_BYTES_MAX = 2_097_152;
/** The length of `reason` at WeChat Pay: whether it counts characters or bytes is documented nowhere, and bytes are right either way. */
const REFUND_REASON_BYTES_MAX = 80;
const REFUNDS_PATH = '/v3/refund/domestic/refunds';

type Ask = {
  readonly name: string;
  readonly limit: WechatpayCall['limit'];
  readonly path: string;
  readonly about: LogFields;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly deadlineMs?: number;
  readonly successStatus?: 200 | 204;
};

/**
 * The calls of one merchant to WeChat Pay. Each gives a checked result, or throws a {@link WechatpayError} whose `outcome`
 * says what to do; none is repeated here, because only the caller knows what a repetition would mean.
 */
export class WechatpayClient {
  private readonly transport: WechatpayTransport;
  private readonly calls: WechatpayCalls;

  constructor(
    private readonly config: WechatpayConfig,
    clock: Clock,
    logger: AppLogger,
  ) {
    this.transport = new WechatpayTransport(config, clock);
    this.calls = new WechatpayCalls(this.transport, clock, logger);
  }

  /** @throws WechatpayError `not_found` when no such order was ever placed, which alone does not make it failed */
  async queryByOutTradeNo(outTradeNo: OutTradeNo, options: AskOptions = {}): Promise<WechatpayOrder> {
    const path = `/v3/pay/transactions/out-trade-no/${pathPart('outTradeNo', outTradeNo)}`;
    const ask = {
      name: 'query_order',
      limit: 'query',
      path: this.ofMerchant(path),
      about: { outTradeNo },
    } as const;
    return this.get({ ...ask, ...options }, (answer) => readOrder(answer, this.config, { outTradeNo }));
  }

  /** Finds paid orders only. */
  async queryByTransactionId(transactionId: string, options: AskOptions = {}): Promise<WechatpayOrder> {
    const path = `/v3/pay/transactions/id/${pathPart('transactionId', transactionId)}`;
    const ask = {
      name: 'query_order',
      limit: 'query',
      path: this.ofMerchant(path),
      about: { transactionId },
    } as const;
    return this.get({ ...ask, ...options }, (answer) => readOrder(answer, this.config, { transactionId }));
  }

  /**
   * Once this returns, the order can never be paid. May be repeated. When it is refused, query: the order may be paid.
   */
  async closeOrder(outTradeNo: OutTradeNo): Promise<void> {
    const path = `/v3/pay/transactions/out-trade-no/${pathPart('outTradeNo', outTradeNo)}/close`;
    const body = { mchid: this.config.mchid };
    const ask = { name: 'close_order', limit: 'none', path, body, about: { outTradeNo } } as const;
    await this.run({ ...ask, successStatus: 204 }, () => undefined);
  }

  /** Accepted is not refunded: the status of the result, and later queries, say what became of it. */
  async createRefund(request: RefundRequest): Promise<WechatpayRefund> {
    const { order, outRefundNo, refundAmount, orderAmount } = request;
    const body = {
      ...('transactionId' in order
        ? { transaction_id: requireMatch('transactionId', order.transactionId) }
        : { out_trade_no: requireMatch('outTradeNo', order.outTradeNo) }),
      out_refund_no: requireMatch('outRefundNo', outRefundNo),
      ...(request.reason ? { reason: cutToBytes(request.reason, REFUND_REASON_BYTES_MAX) } : {}),
      ...(request.notifyUrl ? { notify_url: request.notifyUrl } : {}),
      ...(request.fundsAccount ? { funds_account: request.fundsAccount } : {}),
      amount: { refund: refundAmount.fen, total: orderAmount.fen, currency: 'CNY' },
    };
    return this.refund({ name: 'create_refund', limit: 'refund', path: REFUNDS_PATH, body }, request);
  }

  /** @throws WechatpayError `not_found` when WeChat Pay never accepted it: create it again with the same number */
  async queryRefund(outRefundNo: string, options: AskOptions = {}): Promise<WechatpayRefund> {
    const path = `${REFUNDS_PATH}/${pathPart('outRefundNo', outRefundNo)}`;
    return this.refund({ name: 'query_refund', limit: 'query', path, ...options }, { outRefundNo });
  }

  /** Sends the money of an `ABNORMAL` refund elsewhere; only then is this accepted. */
  async applyAbnormalRefund(request: AbnormalRefundRequest): Promise<WechatpayRefund> {
    const { outRefundNo, refundId, target } = request;
    const path = `${REFUNDS_PATH}/${pathPart('refundId', refundId)}/apply-abnormal-refund`;
    const body = {
      out_refund_no: requireMatch('outRefundNo', outRefundNo),
      type: target.type,
      ...(target.type === 'USER_BANK_CARD'
        ? {
            bank_type: target.bankType,
            bank_account: this.seal(target.bankAccount),
            real_name: this.seal(target.realName),
          }
        : {}),
    };
    return this.refund(
      { name: 'apply_abnormal_refund', limit: 'refund', path, body },
      { outRefundNo, refundId },
    );
  }

  /** @throws WechatpayError `not_found` when the day had no payment, `not_accepted` while the bill is being made */
  async tradeBill(request: TradeBillRequest): Promise<WechatpayBillTicket> {
    const billDate = requireMatch('billDate', request.billDate);
    const query = `bill_date=${billDate}&bill_type=${request.billType ?? 'ALL'}${compression(request)}`;
    const ask = { name: 'trade_bill', limit: 'none', about: { billDate } } as const;
    return this.get({ ...ask, path: `/v3/bill/tradebill?${query}` }, readBillTicket);
  }

  /** @throws WechatpayError as {@link tradeBill} */
  async fundFlowBill(request: FundFlowBillRequest): Promise<WechatpayBillTicket> {
    const billDate = requireMatch('billDate', request.billDate);
    const query = `bill_date=${billDate}&account_type=${request.accountType ?? 'BASIC'}${compression(request)}`;
    const ask = { name: 'fund_flow_bill', limit: 'none', about: { billDate } } as const;
    return this.get({ ...ask, path: `/v3/bill/fundflowbill?${query}` }, readBillTicket);
  }

  /**
   * The uncompressed bytes of the bill, exactly those whose hash the ticket tells, the byte order mark included.
   * @throws WechatpayError `not_accepted` when the ticket is used up: ask for a new one
   */
  async downloadBill(ticket: WechatpayBillTicket): Promise<Buffer> {
    const request = {
      method: 'GET',
      path: billPath(ticket),
      deadlineMs: BILL_DEADLINE_MS,
      answerBytesMax: BILL_BYTES_MAX,
      isAnswerSigned: false,
    } as const;
    try {
      return await this.calls.run(
        { name: 'download_bill', limit: 'none', request, successStatus: 200, about: {} },
        (answer) => unpackBill(answer.body, ticket.sha1),
      );
    } catch (error) {
      if (error instanceof WechatpayError && error.outcome === 'final') throw billExpired(error);
      throw error;
    }
  }

  /**
   * The refunds that were accepted on a Beijing day, made here or elsewhere; none on a day without any.
   * @throws WechatpayError `not_accepted` while the bill is being made
   */
  async refundsOfDay(billDate: string): Promise<WechatpayBillRefund[]> {
    try {
      const bill = await this.downloadBill(await this.tradeBill({ billDate, billType: 'REFUND' }));
      return readBillRefunds(bill);
    } catch (error) {
      if (error instanceof WechatpayError && error.outcome === 'not_found') return [];
      if (error instanceof UnexpectedContent) {
        throw unknownOutcome('unexpected_content', { detail: error.message });
      }
      throw error;
    }
  }

  close(): void {
    this.transport.close();
  }

  private refund(ask: Omit<Ask, 'about'>, asked: AskedRefund): Promise<WechatpayRefund> {
    return this.get({ ...ask, about: { outRefundNo: asked.outRefundNo } }, (answer) =>
      readRefund(answer, asked),
    );
  }

  private get<T>(ask: Ask, read: (answer: AnswerReader) => T): Promise<T> {
    return this.run(ask, (answer) => read(AnswerReader.ofJson(answer.body)));
  }

  private run<T>(ask: Ask, read: (answer: WechatpayAnswer) => T): Promise<T> {
    const request = {
      method: ask.body ? 'POST' : 'GET',
      path: ask.path,
      body: ask.body,
      deadlineMs: ask.deadlineMs ?? CALL_DEADLINE_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
      isAnswerSigned: true,
    } as const;
    const { name, limit, about, successStatus = 200 } = ask;
    return this.calls.run({ name, limit, request, successStatus, about }, read);
  }

  private ofMerchant(path: string): string {
    return `${path}?mchid=${encodeURIComponent(this.config.mchid)}`;
  }

  /** Encrypts for WeChat Pay with the key that the header `Wechatpay-Serial` of the same request names. */
  private seal(text: string): string {
    const key = this.config.platformKeys.get(this.config.platformSerial);
    if (!key) throw new Error('the configuration names a platform key that it does not hold');
    return Rsa.encrypt(text, key);
  }
}

function compression(request: { readonly isCompressed?: boolean }): string {
  return request.isCompressed === false ? '' : '&tar_type=GZIP';
}

/** The longest beginning that fits, without half a character at its end. */
function cutToBytes(text: string, bytesMax: number): string {
  let cut = '';
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytesMax) break;
    cut += character;
  }
  return cut;
}
