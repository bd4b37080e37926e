import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditService } from '../platform/audit/audit.service.js';
import { CursorCodec } from '../platform/http/cursor.js';
import { AnswersList } from '../platform/http/documented.js';
import { listAnswer } from '../platform/http/listing.js';
import type { ListAnswer } from '../platform/http/listing.js';
import { RequirePermission } from './admin-request.js';
import { AuditQuery, AuditView, toAuditView } from './audit.dto.js';

const CURSORS = new CursorCodec('audit', { id: 'digits' });

@ApiTags('admin: audit')
@Controller('api/admin/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @RequirePermission('audit:read')
  @ApiOperation({ summary: 'Who changed what, the newest first' })
  @AnswersList(AuditView, { about: 'Entries of the audit log, which nobody can change.' })
  async list(@Query() { cursor, limit, ...filter }: AuditQuery): Promise<ListAnswer<AuditView>> {
    const page = await this.audit.list(filter, { after: CURSORS.decode(cursor), limit });
    return listAnswer(page, CURSORS, toAuditView);
  }
}
