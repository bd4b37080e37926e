import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { SubscribeMessageConfig } from '../platform/config/notices-config.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { OutboxChannels } from '../platform/outbox/outbox-channels.js';
import type { DeliveryOutcome, OutboxDelivery } from '../platform/outbox/outbox.types.js';
import { Clock } from '../shared/clock.js';
import { UsersService } from '../users/users.service.js';
import { MiniProgramClient } from './mini-program.client.js';
import { topicsOf } from './notice-topics.js';
import { fillTemplate, msUntilTomorrowInBeijing } from './subscribe-data.js';
import { toOutcome } from './subscribe-outcome.js';

const DAILY_LIMIT_REASON = 'WeChat’s limit of messages a day is reached (45009).';
const DAILY_LIMIT_ERRCODE = 45009;
/** What waited for the new day must not come all in its first second. */
const TOMORROW_SPREAD_MS = 10 * 60_000;

/** Tells the payer in the mini program. The openid is read when it is needed and kept nowhere. */
@Injectable()
export class SubscribeMessageChannel implements OnModuleInit {
  /** Until then WeChat takes no more messages of this mini program. */
  private limitedUntilMs = -Infinity;

  constructor(
    private readonly config: AppConfig,
    private readonly channels: OutboxChannels,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    const config = this.config.notices.subscribeMessage;
    const client = config && new MiniProgramClient(config, this.clock);
    this.channels.register({
      name: 'subscribe_message',
      topics: topicsOf('subscribe_message'),
      isConfigured: client !== null,
      deliver: async (delivery, signal) =>
        client
          ? this.deliver({ config, client }, delivery, signal)
          : { kind: 'unwanted', reason: 'Subscribe messages are not configured.' },
    });
  }

  private async deliver(
    by: { config: SubscribeMessageConfig; client: MiniProgramClient },
    delivery: OutboxDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    if (this.clock.nowMs() < this.limitedUntilMs) return this.untilTomorrow();
    const { userId } = delivery.payload;
    const openid =
      typeof userId === 'string' ? await this.users.findOpenid(this.unitOfWork.reader, userId) : null;
    if (!openid) return { kind: 'unwanted', reason: 'The user has no openid.' };
    const { fields } = by.config;
    const data = fillTemplate(fields, delivery);
    const answer = await by.client.sendSubscribeMessage({ openid, data }, signal);
    if (answer.kind === 'no_answer') return { kind: 'retry', reason: answer.reason };
    if (answer.errcode === DAILY_LIMIT_ERRCODE) return this.stopUntilTomorrow();
    return toOutcome(answer, fields);
  }

  private stopUntilTomorrow(): DeliveryOutcome {
    const nowMs = this.clock.nowMs();
    this.limitedUntilMs = nowMs + msUntilTomorrowInBeijing(nowMs);
    this.logger.warned('subscribe_message.limit_reached', { untilMs: this.limitedUntilMs });
    return this.untilTomorrow();
  }

  private untilTomorrow(): DeliveryOutcome {
    const untilMs = this.limitedUntilMs - this.clock.nowMs();
    const pauseMs = untilMs + Math.round(Math.random() * TOMORROW_SPREAD_MS);
    return { kind: 'retry', reason: DAILY_LIMIT_REASON, pauseMs };
  }
}
