import { Injectable } from '@nestjs/common';
import { listNewestFirst } from '../platform/database/newest-first.js';
import type { Condition, TimePosition } from '../platform/database/newest-first.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { scrubJson } from '../platform/logging/scrub-json.js';
import type { PageRequest } from '../shared/page.js';
import type { RecordFilter, RecordKind, StoredRecord } from './records.types.js';

type Row = { id: string; created_at: Date | null } & Record<string, unknown>;

type Source = {
  readonly table: string;
  readonly time: string;
  /** The name in answers of each column. */
  readonly columns: Readonly<Record<string, string>>;
  readonly filters: readonly (keyof RecordFilter)[];
};

const COLUMN_BY_FILTER: Readonly<Record<Exclude<keyof RecordFilter, 'from' | 'to'>, string>> = {
  userId: 'user_id',
  status: 'status',
  type: 'type',
  outTradeNo: 'out_trade_no',
  outRefundNo: 'out_refund_no',
  level: 'level',
  errorCode: 'error_code',
};

const SOURCES: Record<RecordKind, Source> = {
  generations: {
    table: 'generation_history',
    time: 'created_at',
    columns: {
      userId: 'user_id',
      status: 'status',
      taskIds: 'task_ids',
      originalImageUrls: 'original_image_urls',
      templateUrl: 'template_url',
      generatedImageUrls: 'generated_image_urls',
      selectedImageUrl: 'selected_image_url',
      packageType: 'package_type',
      unlockedAt: 'unlocked_at',
      unlockedByOrderId: 'unlocked_by_order_id',
      updatedAt: 'updated_at',
    },
    filters: ['userId', 'status'],
  },
  'greeting-cards': {
    table: 'greeting_cards',
    time: 'created_at',
    columns: {
      userId: 'user_id',
      imageUrl: 'image_url',
      greetingText: 'greeting_text',
      templateStyle: 'template_style',
      updatedAt: 'updated_at',
    },
    filters: ['userId'],
  },
  'payment-logs': {
    table: 'payment_logs',
    time: 'created_at',
    columns: {
      type: 'type',
      eventType: 'event_type',
      outTradeNo: 'out_trade_no',
      outRefundNo: 'out_refund_no',
      amountTotalFen: 'amount_total',
      requestData: 'request_data',
      responseData: 'response_data',
    },
    filters: ['type', 'outTradeNo', 'outRefundNo'],
  },
  'error-logs': {
    table: 'error_logs',
    time: '`timestamp`',
    columns: {
      level: 'level',
      errorCode: 'error_code',
      errorMessage: 'error_message',
      context: 'context',
    },
    filters: ['level', 'errorCode'],
  },
};

@Injectable()
export class RecordsRepository {
  async list(
    tx: Tx,
    kind: RecordKind,
    filter: RecordFilter,
    page: PageRequest<TimePosition>,
  ): Promise<StoredRecord[]> {
    const { time, filters } = SOURCES[kind];
    const conditions: Condition[] = [
      [`${time} >= ?`, filter.from],
      [`${time} < ?`, filter.to],
    ];
    for (const name of filters) {
      if (name !== 'from' && name !== 'to') conditions.push([`${COLUMN_BY_FILTER[name]} = ?`, filter[name]]);
    }
    const rows = await listNewestFirst<Row>(tx, { select: selectOf(kind), time, id: 'id', conditions, page });
    return rows.map((row) => toRecord(row, kind));
  }

  async find(tx: Tx, kind: RecordKind, id: string): Promise<StoredRecord | null> {
    const [row] = await tx.query<Row[]>(`${selectOf(kind)} WHERE id = ?`, [id]);
    return row ? toRecord(row, kind) : null;
  }
}

function selectOf(kind: RecordKind): string {
  const { table, time, columns } = SOURCES[kind];
  return `SELECT id, ${time} AS created_at, ${Object.values(columns).join(', ')} FROM ${table}`;
}

function toRecord(row: Row, kind: RecordKind): StoredRecord {
  const named = Object.entries(SOURCES[kind].columns).map(([name, column]) => [name, shown(row[column])]);
  return {
    id: row.id,
    createdAt: row.created_at,
    fields: Object.fromEntries(named) as Record<string, unknown>,
  };
}

function shown(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : scrubJson(value ?? null);
}
