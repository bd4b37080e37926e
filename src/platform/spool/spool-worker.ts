/**
 * The thread that owns the spool file, so that a slow disk delays the messages it stores and nothing else.
 * It runs as it stands (types erased) in tests, hence no imports but node:* and types.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type {
  SpoolNotice,
  SpoolOperation,
  SpoolRecord,
  SpoolReply,
  SpoolRequest,
  SpoolStats,
  SpoolWorkerData,
  StoredSpoolRecord,
} from './spool-protocol.js';

const PAGE_BYTES = 4096;
const BUSY_WAIT_MS = 1_000;

/** SQLite's primary result codes after which a file is not trusted any more. */
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

const SIDES = ['', '-wal', '-shm'];

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    dedupe_key TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    set_aside_reason TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS messages_set_aside ON messages (set_aside_reason) WHERE set_aside_reason IS NOT NULL;`;

const port = parentPort;
if (!port) throw new Error('the spool worker runs in a thread of its own');
const { dir, sizeMbMax } = workerData as SpoolWorkerData;
const file = join(dir, 'spool.db');

let database: DatabaseSync | null = null;
let depth = 0;
/** Rescued from a file that was moved aside, and not in the new one yet. */
let homeless: SpoolRecord[] = [];
let queue: SpoolRequest[] = [];

port.on('message', (request: SpoolRequest) => {
  queue.push(request);
  // All that arrived while the disk was busy shares the next commit.
  if (queue.length === 1) setImmediate(flush);
});

function flush(): void {
  const batch = queue;
  queue = [];
  const appends = batch.filter((request) => request.op === 'append');
  if (appends.length > 0) answerTogether(appends);
  for (const request of batch) {
    if (request.op !== 'append') answer(request, () => perform(request));
  }
}

function answerTogether(appends: (SpoolRequest & { op: 'append' })[]): void {
  try {
    append(appends.map(({ record }) => record));
    for (const { id } of appends) reply({ id, ok: true, result: null });
  } catch (error) {
    const refusal = describe(error);
    recover(error);
    for (const { id } of appends) reply({ id, ok: false, ...refusal });
  }
}

function answer(request: SpoolRequest, work: () => unknown): void {
  try {
    reply({ id: request.id, ok: true, result: work() });
  } catch (error) {
    const refusal = describe(error);
    recover(error);
    reply({ id: request.id, ok: false, ...refusal });
  }
}

function perform(operation: Exclude<SpoolOperation, { op: 'append' }>): unknown {
  switch (operation.op) {
    case 'read':
      return read(operation.afterSeq, operation.limit);
    case 'remove':
      return remove(operation.seqs);
    case 'setAside':
      return setAside(operation.seq, operation.reason);
    case 'stats':
      return stats();
    case 'close':
      return close();
  }
}

function opened(): DatabaseSync {
  if (database) return database;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Bodies hold openids: nobody else may read them. SQLite gives its side files the same mode.
  closeSync(openSync(file, 'a', 0o600));
  const opening = new DatabaseSync(file);
  try {
    opening.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = ${BUSY_WAIT_MS};`,
    );
    opening.exec(`PRAGMA max_page_count = ${Math.floor((sizeMbMax * 1024 * 1024) / PAGE_BYTES)};`);
    opening.exec(SCHEMA);
    depth = count(opening, 'set_aside_reason IS NULL');
  } catch (error) {
    opening.close();
    throw error;
  }
  database = opening;
  if (homeless.length > 0) {
    append(homeless);
    homeless = [];
  }
  return opening;
}

function append(records: SpoolRecord[]): void {
  const open = opened();
  const insert = open.prepare(
    `INSERT INTO messages (dedupe_key, topic, out_trade_no, payload, received_at_ms, checksum)
     VALUES (?, ?, ?, ?, ?, ?)
     -- A sound repeat of a record that was set aside takes its place.
     ON CONFLICT (dedupe_key) DO UPDATE SET payload = excluded.payload, received_at_ms = excluded.received_at_ms,
       checksum = excluded.checksum, set_aside_reason = NULL WHERE messages.set_aside_reason IS NOT NULL`,
  );
  let added = 0;
  open.exec('BEGIN IMMEDIATE');
  try {
    for (const record of records) {
      const { dedupeKey, topic, outTradeNo, payload, receivedAtMs } = record;
      added += Number(
        insert.run(dedupeKey, topic, outTradeNo, payload, receivedAtMs, checksum(record)).changes,
      );
    }
    open.exec('COMMIT');
  } catch (error) {
    if (open.isTransaction) open.exec('ROLLBACK');
    throw error;
  }
  depth += added;
}

type Row = StoredSpoolRecord & { readonly checksum: string };

const SELECT = `SELECT seq, dedupe_key AS dedupeKey, topic, out_trade_no AS outTradeNo, payload,
    received_at_ms AS receivedAtMs, checksum
  FROM messages WHERE seq > ? AND set_aside_reason IS NULL ORDER BY seq LIMIT ?`;

function read(afterSeq: number, limit: number): StoredSpoolRecord[] {
  const rows = opened().prepare(SELECT).all(afterSeq, limit) as unknown as Row[];
  return rows.filter((row) => {
    if (isSound(row)) return true;
    setAside(row.seq, 'the record was damaged on disk');
    tell('spool.record_damaged', `sequence ${row.seq}`);
    return false;
  });
}

function remove(seqs: readonly number[]): number {
  const open = opened();
  const deletion = open.prepare('DELETE FROM messages WHERE seq = ?');
  let removed = 0;
  open.exec('BEGIN IMMEDIATE');
  try {
    for (const seq of seqs) removed += Number(deletion.run(seq).changes);
    open.exec('COMMIT');
  } catch (error) {
    if (open.isTransaction) open.exec('ROLLBACK');
    throw error;
  }
  // Counted again at the end: another process on the same folder may have drained as well.
  depth = depth - removed > 0 ? depth - removed : count(open, 'set_aside_reason IS NULL');
  return removed;
}

function setAside(seq: number, reason: string): void {
  const changed = opened()
    .prepare('UPDATE messages SET set_aside_reason = ? WHERE seq = ? AND set_aside_reason IS NULL')
    .run(reason, seq);
  depth -= Number(changed.changes);
}

function stats(): SpoolStats {
  const open = opened();
  const oldest = open
    .prepare('SELECT received_at_ms AS at FROM messages WHERE set_aside_reason IS NULL ORDER BY seq LIMIT 1')
    .get() as { at: number } | undefined;
  const suspectFiles = readdirSync(dir).filter((name) => /\.suspect-[0-9a-f-]{36}$/.test(name)).length;
  const setAside = count(open, 'set_aside_reason IS NOT NULL');
  return { depth, setAside, suspectFiles, oldestReceivedAtMs: oldest?.at ?? null };
}

function close(): void {
  database?.close();
  database = null;
}

/** After an I/O error the kernel may call a lost page clean, so the same file is never synced again: its records move to a new one. */
function recover(error: unknown): void {
  const { errcode } = error as { errcode?: number };
  const primary = (errcode ?? 0) & 0xff;
  if (![SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB].includes(primary)) return;
  // A disk that does not even let the file be opened has lost nothing of it: the next request tries again.
  if (!database && primary === SQLITE_IOERR) return;
  const suspect = `${file}.suspect-${randomUUID()}`;
  try {
    const { records, isAll } = rescue();
    homeless = homeless.concat(records);
    closeQuietly();
    if (isAll && records.length === 0) for (const side of SIDES) rmSync(file + side, { force: true });
    else for (const side of SIDES) moveIfThere(file + side, suspect + side);
    const moved = homeless.length;
    opened();
    if (moved > 0 || !isAll)
      tell('spool.file_replaced', `${moved} records moved; the old file is kept as ${suspect}`);
  } catch (cause) {
    tell(
      'spool.file_not_replaced',
      `${describe(cause).message}; ${homeless.length} records wait for a new one`,
    );
  }
}

/** Every sound record that can still be read. Nothing is written: the disk has just failed. */
function rescue(): { records: SpoolRecord[]; isAll: boolean } {
  const records: SpoolRecord[] = [];
  if (!database) return { records, isAll: false };
  try {
    let isAll = count(database, 'set_aside_reason IS NOT NULL') === 0;
    for (const found of database.prepare(SELECT).iterate(0, Number.MAX_SAFE_INTEGER)) {
      const row = found as unknown as Row;
      if (isSound(row)) records.push(row);
      else isAll = false;
    }
    return { records, isAll };
  } catch {
    return { records, isAll: false }; // the file stays beside the new one, and the notice says so
  }
}

function closeQuietly(): void {
  try {
    close();
  } catch {
    database = null; // a file that cannot be closed cleanly is replaced all the same
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
}

function count(open: DatabaseSync, condition: string): number {
  return (open.prepare(`SELECT COUNT(*) AS n FROM messages WHERE ${condition}`).get() as { n: number }).n;
}

function isSound(row: Row): boolean {
  return row.checksum === checksum(row);
}

function checksum({ dedupeKey, topic, outTradeNo, payload, receivedAtMs }: SpoolRecord): string {
  return createHash('sha256')
    .update(JSON.stringify([dedupeKey, topic, outTradeNo, payload, receivedAtMs]))
    .digest('hex');
}

function describe(error: unknown): { code: string; message: string } {
  const { code, errstr, message } = error as { code?: string; errstr?: string; message?: string };
  return { code: code ?? 'SPOOL_FAILED', message: errstr ?? message ?? 'unknown' };
}

function reply(answered: SpoolReply): void {
  port?.postMessage(answered);
}

function tell(notice: string, detail: string): void {
  port?.postMessage({ notice, detail } satisfies SpoolNotice);
}
