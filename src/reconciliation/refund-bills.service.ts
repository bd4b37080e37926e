import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { ForeignRefundsService } from '../refunds/foreign-refunds.service.js';
import { Clock } from '../shared/clock.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { WechatpayError } from '../wechatpay/wechatpay.types.js';
import type { WechatpayBillRefund } from '../wechatpay/wechatpay.types.js';
import { BillChecksRepository } from './bill-checks.repository.js';
import { daysWithBill } from './bill-days.js';

/** A backend that was away for a week still finds what happened meanwhile. */
const DAYS_BACK = 7;
const BILL_TYPE = 'REFUND';

/**
 * Reads the refunds in WeChat Pay's daily bills: one that was made on the merchant platform, and whose notice was lost, is
 * told nowhere else. The bill is a snapshot of its day, so each refund in it that is not known here is asked about.
 */
@Injectable()
export class RefundBillsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly checks: BillChecksRepository,
    private readonly wechatpay: WechatpayService,
    private readonly refunds: ForeignRefundsService,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
    private readonly errors: ErrorLogService,
  ) {}

  /** Reads each day that can be read and was not; a day that fails is left for the next time. */
  async checkDays(stopping: AbortSignal): Promise<void> {
    const days = daysWithBill(this.clock.nowMs(), DAYS_BACK);
    const checked = await this.checks.listChecked(this.unitOfWork.reader, BILL_TYPE, days);
    for (const day of days.filter((one) => !checked.has(one))) {
      if (stopping.aborted || !(await this.checkDay(day, stopping))) return;
    }
  }

  /** False when the next day would fare no better. */
  private async checkDay(billDate: string, stopping: AbortSignal): Promise<boolean> {
    const refunds = await this.read(billDate);
    if (!refunds) return false;
    let newCount = 0;
    for (const refund of refunds) {
      if (stopping.aborted) return false; // the day stays unchecked, and is read again
      if (await this.unitOfWork.run((tx) => this.refunds.follow(tx, refund))) newCount += 1;
    }
    try {
      await this.checks.insert(this.unitOfWork.reader, {
        billDate,
        billType: BILL_TYPE,
        rowCount: refunds.length,
        newCount,
      });
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
    this.logger.info('bill.checked', { billDate, refunds: refunds.length, unknown: newCount });
    return true;
  }

  private async read(billDate: string): Promise<WechatpayBillRefund[] | null> {
    try {
      return await this.wechatpay.refundsOfDay(billDate);
    } catch (error) {
      if (!(error instanceof WechatpayError)) throw error;
      if (error.outcome === 'misconfigured' || error.outcome === 'final') {
        this.errors.record('bill.refused', error, { billDate, reason: error.reason });
      }
      return null;
    }
  }
}
