import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrdersService } from '../payments/orders.service.js';
import { Answers, AnswersList } from '../platform/http/documented.js';
import { answer, listAnswer, PageQuery } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import { UserProfilesService } from '../users/user-profiles.service.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { ORDER_CURSORS } from './order-cursors.js';
import { OrderView, toOrderView } from './orders.dto.js';
import {
  ChangeUserDto,
  FoundUsersView,
  SearchUsersDto,
  toUserView,
  UserParams,
  UserView,
} from './users.dto.js';

@ApiTags('admin: users')
@Controller('api/admin/users')
export class UsersController {
  constructor(
    private readonly profiles: UserProfilesService,
    private readonly orders: OrdersService,
  ) {}

  /** A POST, because addresses end up in logs and histories and bodies do not. */
  @Post('search')
  @HttpCode(200)
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'Finds users by their openid or their phone number' })
  @Answers(FoundUsersView, { about: 'The users found.' })
  async search(@Body() { openid, phone }: SearchUsersDto): Promise<Answer<FoundUsersView>> {
    if (openid !== undefined && phone === undefined) {
      const user = await this.profiles.findByOpenid(openid);
      return answer({ users: user ? [toUserView(user)] : [] });
    }
    if (phone === undefined || openid !== undefined) throw invalid('send either openid or phone');
    return answer({ users: (await this.profiles.listByPhone(phone)).map(toUserView) });
  }

  @Get(':id')
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'Shows a user' })
  @Answers(UserView, { about: 'The user, openid and phone number masked.' })
  async get(@Param() { id }: UserParams): Promise<Answer<UserView>> {
    return answer(toUserView(await this.profiles.get(id)));
  }

  @Get(':id/orders')
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'Lists the orders of a user, the newest first' })
  @AnswersList(OrderView, { about: 'Orders, without openids.' })
  async listOrders(
    @Param() { id }: UserParams,
    @Query() { cursor, limit }: PageQuery,
  ): Promise<ListAnswer<OrderView>> {
    const after = ORDER_CURSORS.decode(cursor);
    const user = await this.profiles.get(id);
    const page = await this.orders.list({ userId: user.id }, { after, limit });
    return listAnswer(page, ORDER_CURSORS, toOrderView);
  }

  @Patch(':id')
  @RequirePermission('users:write')
  @ApiOperation({ summary: 'Changes the profile of a user; what is left out stays' })
  @Answers(UserView, { about: 'The user.' })
  async change(
    @Param() { id }: UserParams,
    @Body() change: ChangeUserDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<UserView>> {
    if (Object.values(change).every((value) => value === undefined)) {
      throw invalid('send at least one of nickname, avatarUrl and phone');
    }
    return answer(toUserView(await this.profiles.change(id, { ...change }, by)));
  }
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_request', 'invalid', message);
}
