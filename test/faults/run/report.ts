import type { Options } from './options.ts';
import type { RunResult } from './run.ts';

const HEADINGS = [
  'server',
  'seed',
  'faults',
  'kills',
  'at exact points',
  'messages',
  'orders',
  'refunds',
  'seconds',
  'not run',
  'found',
];

/** The one command that plays the same plan. */
export function replayCommand({ seed }: RunResult, { server, only, kills }: Options): string {
  const onlyThese = only.length > 0 ? ` --only ${only.join(',')}` : '';
  return `npm run faults -- --seed ${seed} --runs 1${onlyThese} --kills ${kills} --server ${server}`;
}

export function formatTable(results: readonly RunResult[]): string {
  const lines = [HEADINGS, ...results.map(toCells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function toCells(result: RunResult): string[] {
  const { server, seed, faults, kills, messages, orders, refunds, seconds, notRun, findings } = result;
  const all = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const random = kills.random ?? 0;
  return [
    server,
    seed,
    faults.join(' '),
    all,
    all - random,
    messages,
    orders,
    refunds,
    seconds,
    Object.keys(notRun).join(' ') || '-',
    findings.length,
  ].map(String);
}
