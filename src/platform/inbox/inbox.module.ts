import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ExceptionsModule } from '../exceptions/exceptions.module.js';
import { SpoolModule } from '../spool/spool.module.js';
import { EdgeActivity } from './edge-activity.js';
import { InboxApplier } from './inbox-applier.service.js';
import { InboxDrainService } from './inbox-drain.service.js';
import { InboxHandlers } from './inbox-handlers.js';
import { InboxMessage } from './inbox-message.entity.js';
import { InboxRepository } from './inbox.repository.js';
import { InboxService } from './inbox.service.js';
import { QuarantineRepository } from './quarantine.repository.js';
import { QuarantineService } from './quarantine.service.js';
import { SpoolDrainService } from './spool-drain.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([InboxMessage]), SpoolModule, ExceptionsModule],
  providers: [
    InboxRepository,
    InboxService,
    InboxHandlers,
    QuarantineRepository,
    QuarantineService,
    InboxApplier,
    EdgeActivity,
    InboxDrainService,
    SpoolDrainService,
  ],
  exports: [EdgeActivity, InboxService, InboxHandlers, InboxRepository, QuarantineService],
})
export class InboxModule {}
