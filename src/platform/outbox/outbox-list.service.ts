import { Injectable } from '@nestjs/common';
import { pageOf } from '../../shared/page.js';
import type { Page, PageRequest } from '../../shared/page.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { OutboxChannels } from './outbox-channels.js';
import { OutboxViewsRepository } from './outbox-views.repository.js';
import type {
  OutboxBacklog,
  OutboxFilter,
  OutboxPosition,
  OutboxRecord,
  OutboxView,
} from './outbox.types.js';

/** Facts have no channel. */
const NO_CHANNEL = '';

/** The outbox under the eyes of operators. */
@Injectable()
export class OutboxListService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly views: OutboxViewsRepository,
    private readonly channels: OutboxChannels,
  ) {}

  /** The newest first. */
  async list(
    { key, ...filter }: OutboxFilter,
    page: PageRequest<OutboxPosition>,
  ): Promise<Page<OutboxView, OutboxPosition>> {
    const keys =
      key === undefined ? undefined : [key, ...this.channels.names.map((name) => `${key}:${name}`)];
    const rows = await this.views.list(this.unitOfWork.reader, { ...filter, keys }, page);
    const shown = rows.map((row) => ({ ...row, canResend: this.canResend(row) }));
    return pageOf(shown, page.limit, ({ id }) => ({ id }));
  }

  async backlog(): Promise<OutboxBacklog[]> {
    const { reader } = this.unitOfWork;
    const found: OutboxBacklog[] = [];
    for (const channel of [NO_CHANNEL, ...this.channels.names]) {
      found.push({
        channel: channel || null,
        pending: await this.views.count(reader, channel, 'pending'),
        failed: await this.views.count(reader, channel, 'failed'),
        oldestDueSeconds: await this.views.oldestDueSeconds(reader, channel),
      });
    }
    return found;
  }

  /** As `OutboxService.reopen` decides it, which decides it again under the lock. */
  private canResend({ channel, status }: OutboxRecord): boolean {
    if (channel === null || (status !== 'sent' && status !== 'failed')) return false;
    return this.channels.find(channel)?.isConfigured === true;
  }
}
