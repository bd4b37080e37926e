import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PaymentLogEntry, PaymentLogLine } from './orders.types.js';
import { PaymentLogsRepository } from './payment-logs.repository.js';

/** The contract's `payment_logs`: for people who look into a payment, not evidence for programs. */
@Injectable()
export class PaymentLogsService {
  constructor(
    private readonly logs: PaymentLogsRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** A message that is driven again is one line all the same. */
  async append(tx: Tx, ...lines: readonly PaymentLogLine[]): Promise<void> {
    try {
      if (lines.length > 0) await this.logs.insert(tx, lines);
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      if (lines.length > 1) for (const line of lines) await this.append(tx, line);
    }
  }

  /** The newest first. */
  listOfOrder(outTradeNo: string, limit: number): Promise<PaymentLogEntry[]> {
    return this.logs.listOfOrder(this.unitOfWork.reader, outTradeNo, limit);
  }
}
