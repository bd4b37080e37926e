import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { SnapshotReader } from '../platform/database/snapshot-reader.js';
import type { Snapshot } from '../platform/database/snapshot-reader.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { scrubError } from '../platform/logging/scrub.js';
import { toCsv } from '../platform/spreadsheet/csv.js';
import type { Sheet, SheetRow } from '../platform/spreadsheet/sheet.js';
import { toXlsx } from '../platform/spreadsheet/xlsx.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import { DAY_MS, shanghaiDay } from '../shared/shanghai-time.js';
import { streamOf } from './export-stream.js';
import type { Piece } from './export-stream.js';
import type { ExportTable } from './export-table.js';
import { ExportsRepository } from './exports.repository.js';
import type { ExportRow } from './exports.repository.js';
import type { ExportKind, ExportRequest } from './exports.types.js';
import { OrderExportTable } from './order-export-table.js';
import { ProductOrderExportTable } from './product-order-export-table.js';
import { RefundExportTable } from './refund-export-table.js';

/** A leap year: the books of a year fit into one file. */
const RANGE_DAYS_MAX = 366;
/**
 * Rows of a step: a millisecond or two of the event loop. Few, because what is in flight when V8 collects the young is
 * taken for old, and stays until the next full collection: four times as many cost 100 MB more, and were not faster.
 */
const STEP_ROWS = 250;

const TABLES: { [Kind in ExportKind]: () => ExportTable<ExportRow[Kind]> } = {
  orders: () => new OrderExportTable(),
  refunds: () => new RefundExportTable(),
  'product-orders': () => new ProductOrderExportTable(),
};

export type ExportFile = {
  /** Of our making alone: letters, digits, points and hyphens. */
  readonly fileName: string;
  readonly content: Readable;
};

/** How long an export is carried on: its snapshot keeps the server from forgetting what the orders change meanwhile. */
export class ExportPatience {
  /** A client that takes nothing for so long is gone, or its way is. */
  stalledMsMax = 60_000;
  totalMsMax = 30 * 60_000;
}

type Run = { readonly request: ExportRequest; readonly snapshot: Snapshot; rows: number };

/** Writes whole ranges of a table as files: from one snapshot, step by step, and no faster than they are taken. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly snapshots: SnapshotReader,
    private readonly unitOfWork: UnitOfWork,
    private readonly exports: ExportsRepository,
    private readonly audit: AuditService,
    private readonly patience: ExportPatience,
    private readonly logger: AppLogger,
  ) {}

  /** @throws DomainError when the range is none, when too many are under way, or when there is no database */
  async start<Kind extends ExportKind>(
    request: ExportRequest & { readonly kind: Kind },
    by: Actor,
  ): Promise<ExportFile> {
    checkRange(request);
    const snapshot = await this.snapshots.begin('export');
    try {
      await this.noteStart(request, by);
      const run: Run = { request, snapshot, rows: 0 };
      // Before the answer begins, so that what fails here is still an error and not half a file.
      const first = await this.exports.readStep(snapshot, request.kind, {
        ...request,
        after: null,
        limit: STEP_ROWS,
      });
      const content = this.stream(run, TABLES[request.kind](), first);
      return { fileName: fileNameOf(request), content };
    } catch (error) {
      snapshot.close();
      throw error;
    }
  }

  private stream<Kind extends ExportKind>(
    run: Run & { readonly request: { readonly kind: Kind } },
    table: ExportTable<ExportRow[Kind]>,
    first: ExportRow[Kind][],
  ): Readable {
    const sheet: Sheet = {
      name: table.title,
      columns: table.columns,
      batches: this.batches(run, table, first),
    };
    const pieces: AsyncGenerator<Piece, void> = run.request.format === 'csv' ? toCsv(sheet) : toXlsx(sheet);
    const startedMs = performance.now();
    const content = streamOf(pieces, {
      stalled,
      stalledMsMax: this.patience.stalledMsMax,
      end: () => {
        clearTimeout(end);
        run.snapshot.close();
        this.logger.info(content.readableEnded ? 'export.finished' : 'export.aborted', {
          kind: run.request.kind,
          rows: run.rows,
          durationMs: Math.round(performance.now() - startedMs),
        });
      },
    });
    const end = setTimeout(() => content.destroy(stalled()), this.patience.totalMsMax);
    content.once('error', (error) =>
      this.logger.warned('export.broken', { reason: scrubError(error).message }),
    );
    return content;
  }

  private async *batches<Kind extends ExportKind>(
    run: Run & { readonly request: { readonly kind: Kind } },
    table: ExportTable<ExportRow[Kind]>,
    first: ExportRow[Kind][],
  ): AsyncGenerator<readonly SheetRow[]> {
    let rows = first;
    while (rows.length > 0) {
      const next = this.readAfter(run, rows);
      run.rows += rows.length;
      yield rows.map((row) => table.add(row));
      rows = await next;
    }
    yield [table.summary()];
  }

  /** Asked for while the rows before it are written: the server and this process work at the same time. */
  private readAfter<Kind extends ExportKind>(
    { request, snapshot }: Run & { readonly request: { readonly kind: Kind } },
    rows: readonly ExportRow[Kind][],
  ): Promise<ExportRow[Kind][]> {
    const last = rows.at(-1);
    if (!last || rows.length < STEP_ROWS) return Promise.resolve([]);
    const after = { at: last.position_at, id: last.position_id };
    const next = this.exports.readStep(snapshot, request.kind, { ...request, after, limit: STEP_ROWS });
    // It is awaited later, or never when the client went: then nobody is left to tell.
    next.catch(() => undefined);
    return next;
  }

  private async noteStart(
    { kind, format, by, from, to, filter }: ExportRequest,
    actor: Actor,
  ): Promise<void> {
    await this.unitOfWork.run((tx) =>
      this.audit.append(tx, {
        actor,
        action: 'export.started',
        targetType: 'export',
        targetId: kind,
        after: { format, by, from: from.toISOString(), to: to.toISOString(), ...filter },
      }),
    );
  }
}

function checkRange({ from, to }: ExportRequest): void {
  const rangeMs = to.getTime() - from.getTime();
  if (rangeMs <= 0) throw new DomainError('invalid_request', 'invalid', 'to must be later than from');
  if (rangeMs > RANGE_DAYS_MAX * DAY_MS) {
    throw new DomainError(
      'invalid_request',
      'invalid',
      `from and to may be at most ${RANGE_DAYS_MAX} days apart: export year by year`,
    );
  }
}

function fileNameOf({ kind, format, from, to }: ExportRequest): string {
  return `${kind}-${shanghaiDay(from)}-to-${shanghaiDay(to)}.${format}`;
}

function stalled(): Error {
  return new Error('the export was not taken in time');
}
