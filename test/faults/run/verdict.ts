import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLUMNS_QUERY, readColumns } from '../checker/binlog.ts';
import { readBinlogFile } from '../checker/binlog-file.ts';
import { check } from '../checker/check.ts';
import type { Evidence } from '../checker/evidence.ts';
import { binlogFile } from './gather.ts';
import { query } from './server.ts';
import type { World } from './world.ts';

export type Judged = {
  /** How much each invariant looked at: an empty run is no good one. */
  readonly examined: Readonly<Record<string, number>>;
  /** How many things each invariant has to complain of, those without a complaint left out. */
  readonly broken: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
};

/** What the backend may say to a well-formed message with the right secret: it has it, or it cannot keep it now. */
const HONEST_ANSWERS = [200, 503];
const INTERNAL = '/api/payment/internal/';
/** What one cause breaks fills pages; the rest is in the evidence. */
const FINDINGS_SHOWN_MAX = 5;

/** Has the independent checker decide, with the changes of the binary log. */
export async function judge(world: World, gathered: Omit<Evidence, 'changes'>): Promise<Judged> {
  const columns = readColumns(await query(world.root, COLUMNS_QUERY, [world.databaseName]));
  // With the text of the log and the evidence, all that it takes to decide once more.
  writeFileSync(join(world.dir, 'columns.json'), JSON.stringify(columns));
  const changes = await readBinlogFile(binlogFile(world.dir), { server: world.server.kind, columns });
  const verdicts = check({ ...gathered, changes });
  const bad = verdicts.filter(({ findings }) => findings.length > 0);
  return {
    examined: Object.fromEntries(verdicts.map(({ invariant, examined }) => [invariant, examined])),
    broken: Object.fromEntries(bad.map(({ invariant, findings }) => [invariant, findings.length])),
    findings: [
      ...bad.flatMap(({ invariant, findings }) => shorten(invariant, findings)),
      ...findSetAside(gathered),
      ...findRefused(gathered),
      ...findUncaught(gathered),
    ],
  };
}

function shorten(invariant: string, findings: readonly string[]): string[] {
  const shown = findings.slice(0, FINDINGS_SHOWN_MAX).map((finding) => `${invariant}: ${finding}`);
  const more = findings.length - shown.length;
  return more > 0 ? [...shown, `${invariant}: and ${more} more like it`] : shown;
}

/** The process goes on, and somebody forgot a case. */
const UNCAUGHT = /"process\.(uncaught_exception|unhandled_rejection)"/g;

function findUncaught({ replicas }: Pick<Evidence, 'replicas'>): string[] {
  return replicas.flatMap(({ name, log }) => {
    const count = [...log.matchAll(UNCAUGHT)].length;
    return count > 0 ? [`${name} logged ${count} errors that nobody caught`] : [];
  });
}

/** No message of a run is poison: one that is given up was given up for a fault that ended. */
function findSetAside({ tables }: Pick<Evidence, 'tables'>): string[] {
  const kinds = ['message_failed', 'spool_record_refused'];
  return (tables.exceptions ?? []).flatMap(({ kind, subject, reason }) =>
    kinds.includes(kind ?? '') ? [`${kind} of ${subject}: ${reason}`] : [],
  );
}

function findRefused({ history }: Pick<Evidence, 'history'>): string[] {
  const refused = history.filter(
    ({ path, status }) => path.startsWith(INTERNAL) && status !== null && !HONEST_ANSWERS.includes(status),
  );
  const [first] = refused;
  return first
    ? [`${refused.length} good messages were refused, the first with ${String(first.status)}`]
    : [];
}
