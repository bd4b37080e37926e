import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EntitlementGrant } from './entitlement-grant.entity.js';
import { EntitlementsRepository } from './entitlements.repository.js';
import { EntitlementsService } from './entitlements.service.js';
import { ManualEntitlementsService } from './manual-entitlements.service.js';
import { UserProfilesRepository } from './user-profiles.repository.js';
import { UserProfilesService } from './user-profiles.service.js';
import { User } from './user.entity.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User, EntitlementGrant])],
  providers: [
    UsersRepository,
    UsersService,
    EntitlementsRepository,
    EntitlementsService,
    ManualEntitlementsService,
    UserProfilesRepository,
    UserProfilesService,
  ],
  exports: [UsersService, EntitlementsService, ManualEntitlementsService, UserProfilesService],
})
export class UsersModule {}
