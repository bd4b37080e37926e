import { ApiProperty } from '@nestjs/swagger';
import { OrderView, toOrderView } from './orders.dto.js';
import type { OrderStory, TimelineEntry } from './order-timeline.service.js';

export class TimelineEntryView {
  @ApiProperty({ format: 'date-time', example: '2026-01-27T00:00:00.000Z' })
  at!: string;

  @ApiProperty({ example: 'ledger.grant', description: 'What happened.' })
  kind!: string;

  @ApiProperty({ example: 'system:notify', description: 'Who did it, or where it is written.' })
  source!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Ids, states and amounts; no free text.',
  })
  facts!: TimelineEntry['facts'];
}

export class OrderDetailView {
  @ApiProperty({ type: OrderView })
  order!: OrderView;

  @ApiProperty({ type: [TimelineEntryView], description: 'The oldest first.' })
  timeline!: TimelineEntryView[];

  @ApiProperty({ description: 'There is more than is shown: of each source the newest are.' })
  truncated!: boolean;
}

export function toOrderDetailView({ order, timeline, truncated }: OrderStory): OrderDetailView {
  return {
    order: toOrderView(order),
    timeline: timeline.map((entry) => ({ ...entry, at: entry.at.toISOString() })),
    truncated,
  };
}
