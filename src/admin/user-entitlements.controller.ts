import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, Conflicts } from '../platform/http/documented.js';
import { answer, PageQuery } from '../platform/http/listing.js';
import type { Answer } from '../platform/http/listing.js';
import type { Actor } from '../shared/actor.js';
import { ManualEntitlementsService } from '../users/manual-entitlements.service.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { IDEMPOTENCY_KEY_HEADER, IdempotencyKey } from '../platform/http/idempotency-key.js';
import {
  EntitlementChangeView,
  GrantDto,
  RevokeDto,
  toEntitlementChangeView,
  toLedgerLineView,
  UserEntitlementsView,
} from './user-entitlements.dto.js';
import { UserParams } from './users.dto.js';

const CURSORS = new CursorCodec('ledger', { id: 'digits' });

@ApiTags('admin: users')
@Controller('api/admin/users/:id/entitlements')
export class UserEntitlementsController {
  constructor(private readonly entitlements: ManualEntitlementsService) {}

  @Get()
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'Tells why a user has what they have: the lines of the ledger' })
  @Answers(UserEntitlementsView, { about: 'What the user has now, and where it comes from.' })
  async list(
    @Param() { id }: UserParams,
    @Query() { cursor, limit }: PageQuery,
  ): Promise<Answer<UserEntitlementsView>> {
    const { now, madeBy, page } = await this.entitlements.list(id, { after: CURSORS.decode(cursor), limit });
    return answer({
      packageType: now.packageType,
      regenerateCount: now.credits,
      madeBy: madeBy && toLedgerLineView(madeBy),
      lines: page.items.map(toLedgerLineView),
      nextCursor: page.next && CURSORS.encode(page.next),
    });
  }

  @Post('grant')
  @HttpCode(200)
  @RequirePermission('entitlements:write')
  @ApiOperation({ summary: 'Gives a package or credits without a payment' })
  @ApiHeader(IDEMPOTENCY_KEY_HEADER)
  @Answers(EntitlementChangeView, { about: 'The line in the ledger, and what the user has now.' })
  @Conflicts('`idempotency_key_used`: the key stands for another grant.')
  async grant(
    @Param() { id: userId }: UserParams,
    @Body() { packageType, regenerateCredits: credits, reason }: GrantDto,
    @IdempotencyKey() idempotencyKey: string,
    @CurrentActor() by: Actor,
  ): Promise<Answer<EntitlementChangeView>> {
    const wanted = { userId, packageType, credits, reason, idempotencyKey };
    return answer(toEntitlementChangeView(await this.entitlements.grant(wanted, by)));
  }

  @Post('revoke')
  @HttpCode(200)
  @RequirePermission('entitlements:write')
  @ApiOperation({ summary: 'Takes back one grant; no money moves' })
  @Answers(EntitlementChangeView, { about: 'The line in the ledger, and what the user has now.' })
  @Conflicts('`already_revoked`: a refund or somebody else took it back.')
  async revoke(
    @Param() { id: userId }: UserParams,
    @Body() { outTradeNo, reason }: RevokeDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<EntitlementChangeView>> {
    const change = await this.entitlements.revoke({ userId, outTradeNo, reason }, by);
    return answer(toEntitlementChangeView(change));
  }
}
