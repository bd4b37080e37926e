import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { InboxHandlers } from '../platform/inbox/inbox-handlers.js';
import type { Handling, InboxItem } from '../platform/inbox/inbox.types.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { PaidClaim, PaidOutcome } from '../payments/payments.types.js';
import { UsualPaymentsService } from '../payments/usual-payments.service.js';
import { Clock } from '../shared/clock.js';
import type { PaymentNotifiedMessage } from './message-reading.js';
import { PAYMENT_NOTIFIED } from './topics.js';

const MINUTE_MS = 60_000;
/** Whole seconds: what waits together is put off together, in one statement. */
const WAIT_STEP_MS = 1_000;
/** A waiting notice is tried again after a quarter of its age: soon at first, and never many at a time later. */
const WAIT_SHARE = 4;
const WAIT_MS_MIN = 1_000;
const WAIT_MS_MAX = 30_000;
/** While WeChat Pay is asked, after the first tries: its answer grants by itself, and after an outage thousands of notices wait. */
const ASKED_WAIT_MS_MIN = 8_000;
const YOUNG_MS = 3_000;

/** Applies "paid" notices of the cloud functions. */
@Injectable()
export class PaymentNotifiedHandler implements OnModuleInit {
  constructor(
    private readonly handlers: InboxHandlers,
    private readonly payments: PaymentsService,
    private readonly usual: UsualPaymentsService,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.handlers.register(
      PAYMENT_NOTIFIED,
      (tx, item) => this.handle(tx, item),
      (tx, items) => this.handleTogether(tx, items),
    );
  }

  private async handle(tx: Tx, item: InboxItem): Promise<Handling> {
    const message = item.payload as PaymentNotifiedMessage;
    if (!saysPaid(item)) {
      return {
        kind: 'quarantined',
        exceptionKind: 'unexpected_notice',
        reason: `A payment notice has the status ${JSON.stringify(message.status)} instead of "paid".`,
      };
    }
    return this.follow(item, await this.payments.recordPaid(tx, toClaim(item)));
  }

  private async handleTogether(tx: Tx, items: readonly InboxItem[]): Promise<Map<InboxItem, Handling>> {
    const claims = new Map(items.filter(saysPaid).map((item) => [item, toClaim(item)]));
    const outcomes = await this.usual.recordTogether(tx, [...claims.values()]);
    const handled = new Map<InboxItem, Handling>();
    for (const [item, claim] of claims) {
      const outcome = outcomes.get(claim);
      if (outcome) handled.set(item, this.follow(item, outcome));
    }
    return handled;
  }

  private follow(item: InboxItem, outcome: PaidOutcome): Handling {
    if (outcome === 'order_unknown') return this.waitFor(item, ORDER_UNKNOWN);
    if (outcome === 'unproven') return this.waitFor(item, UNPROVEN);
    if (outcome === 'asked') return this.waitFor(item, UNPROVEN, ASKED_WAIT_MS_MIN);
    return { kind: 'handled', outcome };
  }

  /** What is missing may still come: an order from another replica's spool, a row whose transaction is still open. */
  private waitFor(item: InboxItem, missing: Missing, waitMsMin = WAIT_MS_MIN): Handling {
    const ageMs = this.clock.nowMs() - item.receivedAt.getTime();
    if (ageMs < this.config.orderWaitMinutes * MINUTE_MS) {
      const shareMs = Math.round(ageMs / WAIT_SHARE / WAIT_STEP_MS) * WAIT_STEP_MS;
      const delayMs = Math.min(Math.max(shareMs, ageMs < YOUNG_MS ? WAIT_MS_MIN : waitMsMin), WAIT_MS_MAX);
      return { kind: 'postponed', reason: missing.exceptionKind, delayMs };
    }
    const message = item.payload as PaymentNotifiedMessage;
    return {
      kind: 'quarantined',
      ...missing,
      detail: { transactionId: message.transactionId, packageType: message.packageType },
    };
  }
}

function saysPaid({ payload }: InboxItem): boolean {
  return (payload as PaymentNotifiedMessage).status === 'paid';
}

function toClaim({ payload, receivedAt }: InboxItem): PaidClaim {
  const { outTradeNo, transactionId, openid, generationId } = payload as PaymentNotifiedMessage;
  return {
    outTradeNo,
    source: 'notify',
    evidence: null,
    transactionId,
    openid,
    generationId,
    seenAt: receivedAt,
  };
}

type Missing = { readonly exceptionKind: string; readonly reason: string };

const ORDER_UNKNOWN: Missing = {
  exceptionKind: 'order_unknown',
  reason: 'A payment was reported for an order that nobody knows: no row and no backup came in time.',
};
const UNPROVEN: Missing = {
  exceptionKind: 'payment_unproven',
  reason: 'A payment was reported, but neither the table nor WeChat Pay says that the order was paid.',
};
