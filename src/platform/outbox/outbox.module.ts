import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OutboxChannels } from './outbox-channels.js';
import { OutboxDeliveryService } from './outbox-delivery.service.js';
import { OutboxDistributionService } from './outbox-distribution.service.js';
import { OutboxListService } from './outbox-list.service.js';
import { OutboxMessage } from './outbox-message.entity.js';
import { OutboxViewsRepository } from './outbox-views.repository.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxService } from './outbox.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([OutboxMessage])],
  providers: [
    OutboxRepository,
    OutboxViewsRepository,
    OutboxListService,
    OutboxService,
    OutboxChannels,
    OutboxDistributionService,
    OutboxDeliveryService,
  ],
  exports: [OutboxService, OutboxListService, OutboxChannels],
})
export class OutboxModule {}
