import { Injectable } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { CloudFunctionConfig } from '../platform/config/refund-config.js';
import { post } from '../platform/http/outbound-post.js';
import { DomainError } from '../shared/domain-error.js';
import { readRefundAnswer, unknown } from './refund-answer.js';
import type { FunctionRefundAnswer, FunctionRefundRequest } from './cloud-function.types.js';

/** The platform ends a function after 15 s as a rule; an answer later than this comes from nobody. */
const CALL_DEADLINE_MS = 16_000;
const ANSWER_BYTES_MAX = 65_536;

/** The refund function of the shop. Works without being configured, too: calls then throw `refunds_not_configured`. */
@Injectable()
export class CloudFunctionService {
  private readonly config: CloudFunctionConfig | null;

  constructor(config: AppConfig) {
    this.config = config.refunds.cloudFunction;
  }

  get isConfigured(): boolean {
    return this.config !== null;
  }

  /** Asks for a refund, once. Never throws for what the function or the way to it does: the answer is `unknown` then. */
  async refund(request: FunctionRefundRequest): Promise<FunctionRefundAnswer> {
    if (!this.config) {
      throw new DomainError(
        'refunds_not_configured',
        'unavailable',
        'The refund function is not configured: set CLOUD_FUNCTION_URL and CLOUD_FUNCTION_TOKEN and start again.',
      );
    }
    const { url, token } = this.config;
    const message = {
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(toBody(request)),
    };
    const exchange = await post(url, message, {
      deadlineMs: CALL_DEADLINE_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    });
    if (exchange.kind === 'unanswered') return unknown('unanswered', exchange.reason);
    if (exchange.body === null) return unknown('cut_short');
    const answer = readRefundAnswer(exchange.body.toString('utf8'), request);
    const isSuccess = exchange.status >= 200 && exchange.status < 300;
    return isSuccess ? answer : failed(answer, exchange.status);
  }
}

/** The deployed function reads the snake-case fields, in fen; the contract names the others, in yuan. */
function toBody(request: FunctionRefundRequest): Record<string, unknown> {
  const { outRefundNo, outTradeNo, transactionId, refundAmount, orderAmount, reason } = request;
  return {
    type: 'wxpay_refund',
    ...(transactionId ? { transaction_id: transactionId } : { out_trade_no: outTradeNo }),
    out_refund_no: outRefundNo,
    amount: { refund: refundAmount.fen, total: orderAmount.fen, currency: 'CNY' },
    outTradeNo,
    refundAmount: refundAmount.toYuanNumber(),
    reason,
  };
}

/** A status that is no success takes nothing for granted, whatever its body says. */
function failed(answer: FunctionRefundAnswer, status: number): FunctionRefundAnswer {
  return unknown(`http_${status}`, answer.kind === 'unknown' ? answer.words : '');
}
