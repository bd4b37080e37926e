import { ApiProperty } from '@nestjs/swagger';
import { COUNT_MAX } from '../platform/database/bounded-count.js';
import type { Backlog } from './backlog.service.js';

const UP_TO = `Counted up to ${COUNT_MAX}.`;
const OLDEST = { description: 'For how long the first one has waited; 0 when none is due.' };

class InboxBacklogAnswer {
  @ApiProperty({ description: UP_TO })
  pending!: number;

  @ApiProperty({ description: `Set before an operator. ${UP_TO}` })
  quarantined!: number;

  @ApiProperty(OLDEST)
  oldestAgeSeconds!: number;
}

class SpoolBacklogAnswer {
  @ApiProperty({ enum: ['open', 'failing'] })
  state!: string;

  @ApiProperty({ required: false, description: 'Messages that wait on the disk for MySQL.' })
  depth?: number;

  @ApiProperty({ required: false, description: 'Messages that cannot be moved.' })
  setAside?: number;

  @ApiProperty({ required: false, description: 'Files that were replaced after a disk error.' })
  suspectFiles?: number;

  @ApiProperty({ required: false })
  oldestAgeSeconds?: number;
}

class OutboxBacklogAnswer {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'webhook',
    description: 'Null: facts that wait for their distribution to the channels.',
  })
  channel!: string | null;

  @ApiProperty({ description: UP_TO })
  pending!: number;

  @ApiProperty({ description: UP_TO })
  failed!: number;

  @ApiProperty(OLDEST)
  oldestDueSeconds!: number;
}

class RefundBacklogAnswer {
  @ApiProperty({ description: `Under way. ${UP_TO}` })
  pending!: number;

  @ApiProperty({ description: `Left the account and did not arrive. ${UP_TO}` })
  abnormal!: number;

  @ApiProperty({ description: `To be sent or asked about now. ${UP_TO}` })
  due!: number;

  @ApiProperty(OLDEST)
  oldestDueSeconds!: number;
}

class OrderQueryBacklogAnswer {
  @ApiProperty({ description: `Orders to ask WeChat Pay about now. ${UP_TO}` })
  due!: number;

  @ApiProperty(OLDEST)
  oldestDueSeconds!: number;
}

class ExceptionBacklogAnswer {
  @ApiProperty({ example: 'payment_held' })
  kind!: string;

  @ApiProperty({ description: `Open ones; over all kinds counted up to ${COUNT_MAX}.` })
  count!: number;
}

export class BacklogAnswer {
  @ApiProperty({ type: InboxBacklogAnswer })
  inbox!: InboxBacklogAnswer;

  @ApiProperty({ type: SpoolBacklogAnswer, description: 'Of the replica that answers: each has its own.' })
  spool!: SpoolBacklogAnswer;

  @ApiProperty({ type: [OutboxBacklogAnswer] })
  outbox!: OutboxBacklogAnswer[];

  @ApiProperty({ type: RefundBacklogAnswer })
  refunds!: RefundBacklogAnswer;

  @ApiProperty({ type: OrderQueryBacklogAnswer })
  orderQueries!: OrderQueryBacklogAnswer;

  @ApiProperty({ type: [ExceptionBacklogAnswer] })
  exceptions!: ExceptionBacklogAnswer[];
}

export function toBacklogAnswer({ outbox, exceptions, ...rest }: Backlog): BacklogAnswer {
  return { ...rest, outbox: [...outbox], exceptions: [...exceptions] };
}
