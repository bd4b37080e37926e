import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RefundsModule } from '../refunds/refunds.module.js';
import { AccessService } from './access.service.js';
import { AdminGuard } from './admin.guard.js';
import { AdminToken } from './admin-token.entity.js';
import { AuditController } from './audit.controller.js';
import { PricesModule } from '../prices/prices.module.js';
import { AdminPricesController } from './prices.controller.js';
import { RefusedTries } from './refused-tries.js';
import { RefundsController } from './refunds.controller.js';
import { TokensController } from './tokens.controller.js';
import { TokensRepository } from './tokens.repository.js';
import { TokensService } from './tokens.service.js';

@Module({
  imports: [PricesModule, RefundsModule, TypeOrmModule.forFeature([AdminToken])],
  controllers: [TokensController, AuditController, AdminPricesController, RefundsController],
  providers: [
    TokensRepository,
    TokensService,
    AccessService,
    RefusedTries,
    { provide: APP_GUARD, useClass: AdminGuard },
  ],
})
export class AdminModule {}
