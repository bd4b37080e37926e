import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NoticesModule } from '../notices/notices.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { HealthModule } from '../platform/health/health.module.js';
import { RefundsModule } from '../refunds/refunds.module.js';
import { UsersModule } from '../users/users.module.js';
import { ProductsModule } from '../products/products.module.js';
import { ReportsModule } from '../reports/reports.module.js';
import { AccessService } from './access.service.js';
import { AdminGuard } from './admin.guard.js';
import { AdminToken } from './admin-token.entity.js';
import { AuditController } from './audit.controller.js';
import { PricesModule } from '../prices/prices.module.js';
import { AdminPricesController } from './prices.controller.js';
import { OrderTimelineService } from './order-timeline.service.js';
import { OrdersController } from './orders.controller.js';
import { ExceptionActionsService } from './exception-actions.service.js';
import { ExceptionsController } from './exceptions.controller.js';
import { BacklogController } from './backlog.controller.js';
import { BacklogService } from './backlog.service.js';
import { OutboxController } from './outbox.controller.js';
import { ExportsController } from './exports.controller.js';
import { ProductOrdersController } from './product-orders.controller.js';
import { RecordsController } from './records.controller.js';
import { RefundsController } from './refunds.controller.js';
import { StatisticsController } from './statistics.controller.js';
import { TokensController } from './tokens.controller.js';
import { TokensRepository } from './tokens.repository.js';
import { TokensService } from './tokens.service.js';
import { UserEntitlementsController } from './user-entitlements.controller.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([AdminToken]),
    HealthModule,
    PaymentsModule,
    PricesModule,
    RefundsModule,
    NoticesModule,
    ProductsModule,
    ReportsModule,
    UsersModule,
  ],
  controllers: [
    TokensController,
    AuditController,
    AdminPricesController,
    RefundsController,
    OrdersController,
    UsersController,
    UserEntitlementsController,
    ExceptionsController,
    BacklogController,
    OutboxController,
    ExportsController,
    StatisticsController,
    ProductOrdersController,
    RecordsController,
  ],
  providers: [
    TokensRepository,
    TokensService,
    AccessService,
    ExceptionActionsService,
    BacklogService,
    OrderTimelineService,
    { provide: APP_GUARD, useClass: AdminGuard },
  ],
})
export class AdminModule {}
