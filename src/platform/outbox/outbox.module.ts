import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OutboxChannels } from './outbox-channels.js';
import { OutboxDeliveryService } from './outbox-delivery.service.js';
import { OutboxDistributionService } from './outbox-distribution.service.js';
import { OutboxMessage } from './outbox-message.entity.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxService } from './outbox.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([OutboxMessage])],
  providers: [
    OutboxRepository,
    OutboxService,
    OutboxChannels,
    OutboxDistributionService,
    OutboxDeliveryService,
  ],
  exports: [OutboxService, OutboxChannels],
})
export class OutboxModule {}
