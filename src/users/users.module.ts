import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EntitlementGrant } from './entitlement-grant.entity.js';
import { EntitlementsRepository } from './entitlements.repository.js';
import { EntitlementsService } from './entitlements.service.js';
import { User } from './user.entity.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, EntitlementGrant])],
  providers: [UsersRepository, UsersService, EntitlementsRepository, EntitlementsService],
  exports: [UsersService, EntitlementsService],
})
export class UsersModule {}
