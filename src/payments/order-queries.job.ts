import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { OrderQueriesService } from './order-queries.service.js';
import { PendingOrdersService } from './pending-orders.service.js';

const ASK_EVERY_MS = 1_000;
const DISCOVER_EVERY_MS = 5_000;
/** An order is asked about 45 s after it was made: ten minutes leave room for a replica that was away. */
const DISCOVERY_WINDOW_SECONDS = 600;

/** Polls WeChat Pay about pending orders, which the contract calls polling `payment_orders`. Without credentials there is nobody to ask. */
@Injectable()
export class OrderQueriesJob implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly queries: OrderQueriesService,
    private readonly pending: PendingOrdersService,
    private readonly wechatpay: WechatpayService,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.wechatpay.isConfigured) return;
    this.jobs.register({
      name: 'order-queries',
      everyMs: ASK_EVERY_MS,
      scope: 'replica', // each question is claimed by its row
      run: (context) => this.queries.askDue(context),
    });
    this.jobs.register({
      name: 'pending-discovery-hot',
      everyMs: DISCOVER_EVERY_MS,
      scope: 'cluster',
      run: () => this.pending.discoverRecent(DISCOVERY_WINDOW_SECONDS),
    });
    this.jobs.register({
      name: 'pending-discovery-full',
      everyMs: ASK_EVERY_MS,
      scope: 'cluster',
      run: (context) => this.pending.discoverNextStep(context),
    });
  }
}
