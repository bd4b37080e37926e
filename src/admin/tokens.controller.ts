import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList } from '../platform/http/documented.js';
import { answer, listAnswer, PageQuery } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, CurrentRole, RequirePermission } from './admin-request.js';
import type { Role } from './permissions.js';
import { CreatedTokenView, CreateTokenDto, TokenParams, TokenView, toTokenView } from './tokens.dto.js';
import { TokensService } from './tokens.service.js';

const CURSORS = new CursorCodec('tokens', { id: 'key' });

@ApiTags('admin: tokens')
@Controller('api/admin/tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Get()
  @RequirePermission('tokens:manage')
  @ApiOperation({ summary: 'Lists the tokens, the newest first' })
  @AnswersList(TokenView, { about: 'The tokens, without their secrets.' })
  async list(@Query() query: PageQuery): Promise<ListAnswer<TokenView>> {
    const page = await this.tokens.list({ after: CURSORS.decode(query.cursor), limit: query.limit });
    return listAnswer(page, CURSORS, (token) => toTokenView(token, this.tokens.stateOf(token)));
  }

  @Post()
  @RequirePermission('tokens:manage')
  @ApiOperation({ summary: 'Makes a token' })
  @Answers(CreatedTokenView, { about: 'The token, shown this once.', status: 201 })
  async create(
    @Body() body: CreateTokenDto,
    @CurrentActor() by: Actor,
    @CurrentRole() role: Role,
  ): Promise<Answer<CreatedTokenView>> {
    const { expiresInDays, ...wanted } = body;
    const { record, token } = await this.tokens.create(
      { ...wanted, expires: { inDays: expiresInDays } },
      { by, role },
    );
    return answer({ ...toTokenView(record, 'live'), token });
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @RequirePermission('tokens:manage')
  @ApiOperation({ summary: 'Ends a token at once; a second time changes nothing' })
  @Answers(TokenView, { about: 'The token, revoked.' })
  async revoke(@Param() { id }: TokenParams, @CurrentActor() by: Actor): Promise<Answer<TokenView>> {
    const token = await this.tokens.revoke(id, by);
    return answer(toTokenView(token, this.tokens.stateOf(token)));
  }
}
