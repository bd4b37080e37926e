import { Injectable } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { CloudFunctionConfig } from '../platform/config/refund-config.js';
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
    try {
      const response = await fetch(this.config.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.config.token}` },
        body: JSON.stringify(toBody(request)),
        redirect: 'error',
        signal: AbortSignal.timeout(CALL_DEADLINE_MS),
      });
      const text = await readBounded(response);
      if (text === null) return unknown('too_large');
      if (!response.ok) return failed(readRefundAnswer(text, request), response.status);
      return readRefundAnswer(text, request);
    } catch (error) {
      // The cause may quote the address or the body: only its kind is kept.
      return unknown((error as Error).name === 'TimeoutError' ? 'timeout' : 'connection');
    }
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

async function readBounded(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (!body) return '';
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) return null; // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
