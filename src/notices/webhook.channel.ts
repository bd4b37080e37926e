import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { WebhookConfig } from '../platform/config/notices-config.js';
import { OutboxChannels } from '../platform/outbox/outbox-channels.js';
import type { DeliveryOutcome, OutboxDelivery } from '../platform/outbox/outbox.types.js';
import { Clock } from '../shared/clock.js';
import { post } from '../platform/http/outbound-post.js';
import { topicsOf } from './notice-topics.js';
import { signNotice } from './webhook-signature.js';

/** A receiver stores the notice and answers; its work comes afterwards. */
const DEADLINE_MS = 5_000;
/** Only the status counts; the body is read so that the connection ends in order. */
const ANSWER_BYTES_MAX = 16_384;
const GONE = 410;

/** Tells facts to the shop's own receiver, signed. */
@Injectable()
export class WebhookChannel implements OnModuleInit {
  constructor(
    private readonly config: AppConfig,
    private readonly channels: OutboxChannels,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    const { webhook } = this.config.notices;
    this.channels.register({
      name: 'webhook',
      topics: topicsOf('webhook'),
      isConfigured: webhook !== null,
      deliver: async (delivery, signal) =>
        webhook
          ? this.deliver(webhook, delivery, signal)
          : { kind: 'unwanted', reason: 'No webhook is configured.' },
    });
  }

  private async deliver(
    webhook: WebhookConfig,
    delivery: OutboxDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const rawBody = toBody(delivery);
    const timestampSeconds = Math.floor(this.clock.nowMs() / 1000);
    const headers = {
      'Content-Type': 'application/json',
      'User-Agent': 'wxpay-backend',
      'X-Notice-Id': delivery.noticeId,
      'X-Notice-Timestamp': String(timestampSeconds),
      'X-Notice-Signature': signNotice({ timestampSeconds, rawBody }, webhook.secret),
    };
    const limits = { deadlineMs: DEADLINE_MS, answerBytesMax: ANSWER_BYTES_MAX, signal };
    const exchange = await post(webhook.url, { headers, body: rawBody }, limits);
    if (exchange.kind === 'unanswered')
      return { kind: 'retry', reason: `The receiver was not reached: ${exchange.reason}` };
    return toOutcome(exchange.status);
  }
}

/** The same on every try: what the receiver compares and keeps. */
function toBody({ noticeId, topic, stagedAt, payload }: OutboxDelivery): string {
  return JSON.stringify({ id: noticeId, type: topic, createdAt: stagedAt.toISOString(), data: payload });
}

function toOutcome(status: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === GONE)
    return { kind: 'refused', reason: 'The receiver answered 410: it wants no more notices.' };
  const isRedirect = status >= 300 && status < 400;
  const hint = isRedirect ? ' Redirects are not followed: set the address it names.' : '';
  return { kind: 'retry', reason: `The receiver answered ${status}.${hint}` };
}
