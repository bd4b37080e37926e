import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { RefundBillsService } from './refund-bills.service.js';

/** A bill that is not ready, or did not come, is asked for again after this. */
const EVERY_MS = 10 * 60_000;

/** Reads yesterday's bill when it is there. Without credentials there is none. */
@Injectable()
export class RefundBillsJob implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly bills: RefundBillsService,
    private readonly wechatpay: WechatpayService,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.wechatpay.isConfigured) return;
    this.jobs.register({
      name: 'refund-bills',
      everyMs: EVERY_MS,
      scope: 'cluster',
      run: ({ stopping }) => this.bills.checkDays(stopping),
    });
  }
}
