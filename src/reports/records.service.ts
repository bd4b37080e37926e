import { Injectable } from '@nestjs/common';
import type { TimePosition } from '../platform/database/newest-first.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { DomainError } from '../shared/domain-error.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { RecordsRepository } from './records.repository.js';
import type { RecordFilter, RecordKind, StoredRecord } from './records.types.js';

/** What others and this backend have noted, for people who look into something; nothing here is changed. */
@Injectable()
export class RecordsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly records: RecordsRepository,
  ) {}

  async list(
    kind: RecordKind,
    filter: RecordFilter,
    page: PageRequest<TimePosition>,
  ): Promise<Page<StoredRecord, TimePosition>> {
    const rows = await this.records.list(this.unitOfWork.reader, kind, filter, page);
    return pageOf(rows, page.limit, ({ id, createdAt }) => ({ id, at: createdAt?.toISOString() ?? '' }));
  }

  async get(kind: RecordKind, id: string): Promise<StoredRecord> {
    const record = await this.records.find(this.unitOfWork.reader, kind, id);
    if (!record) throw new DomainError('not_found', 'not_found', 'There is nothing with this id.');
    return record;
  }
}
