import { Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { GreetingCardsModule } from './greeting-cards/greeting-cards.module.js';
import { InternalNotificationsModule } from './internal-notifications/internal-notifications.module.js';
import { NoticesModule } from './notices/notices.module.js';
import { AuditModule } from './platform/audit/audit.module.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { ExceptionsModule } from './platform/exceptions/exceptions.module.js';
import { HealthModule } from './platform/health/health.module.js';
import { HttpModule } from './platform/http/http.module.js';
import { InboxModule } from './platform/inbox/inbox.module.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { LoggingModule } from './platform/logging/logging.module.js';
import { OutboxModule } from './platform/outbox/outbox.module.js';
import { ProductsModule } from './products/products.module.js';
import { ReconciliationModule } from './reconciliation/reconciliation.module.js';
import { RefundsModule } from './refunds/refunds.module.js';

@Module({
  imports: [
    ConfigModule,
    LoggingModule,
    DatabaseModule,
    JobsModule,
    AuditModule,
    ExceptionsModule,
    OutboxModule,
    InboxModule,
    HttpModule,
    HealthModule,
    InternalNotificationsModule,
    NoticesModule,
    RefundsModule,
    ReconciliationModule,
    ProductsModule,
    GreetingCardsModule,
    AdminModule,
  ],
})
export class AppModule {}
