import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PaymentLogEntry } from './orders.types.js';
import { PaymentLogsRepository } from './payment-logs.repository.js';

export type PaymentLogLine = {
  /** The same for every repetition of what it tells; at most 36 characters. */
  readonly id: string;
  readonly type: 'payment_callback' | 'refund_callback';
  readonly eventType: string;
  readonly outTradeNo: string;
  readonly outRefundNo: string | null;
  readonly amountFen: number;
  /** What was said, without the openid. */
  readonly request: Readonly<Record<string, string | null>>;
};

/** The contract's `payment_logs`: for people who look into a payment, not evidence for programs. */
@Injectable()
export class PaymentLogsService {
  constructor(
    private readonly logs: PaymentLogsRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** A message that is driven again is one line all the same. */
  async append(tx: Tx, line: PaymentLogLine): Promise<void> {
    try {
      await this.logs.insert(tx, line);
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
  }

  /** The newest first. */
  listOfOrder(outTradeNo: string, limit: number): Promise<PaymentLogEntry[]> {
    return this.logs.listOfOrder(this.unitOfWork.reader, outTradeNo, limit);
  }
}
