import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { Trouble } from './library.ts';
import type { Figure } from './measure/figures.ts';
import type { Options } from './options.ts';
import type { RunResult } from './run.ts';

const HEADINGS = [
  'seed',
  'faults',
  'kills',
  'at exact points',
  'messages',
  'acknowledged',
  'orders',
  'refunds',
  'looked at',
  'seconds',
  'not run',
  'found',
];

type Table = readonly (readonly string[])[];

/** The one command that plays the same plan. */
export function replayCommand({ seed }: RunResult, { server, only, kills }: Options): string {
  const onlyThese = only.length > 0 ? ` --only ${only.join(',')}` : '';
  return `npm run faults -- --seed ${seed} --runs 1${onlyThese} --kills ${kills} --server ${server}`;
}

export function toTable(results: readonly RunResult[]): Table {
  return [HEADINGS, ...results.map(toCells), ...(results.length > 1 ? [sumUp(results)] : [])];
}

export function toFigureTable(figures: readonly Figure[]): Table {
  const lines = figures.map(({ what, goal, seen, holds }) => [what, goal, seen, wordFor(holds)]);
  return [['promise', 'goal', 'seen', 'kept'], ...lines];
}

function wordFor(holds: boolean | null): string {
  if (holds === null) return 'not measured';
  return holds ? 'yes' : 'NO';
}

/** For a terminal. */
export function formatTable(table: Table): string {
  const widths = widthsOf(table);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return table.map(line).join('\n');
}

/** What else the machine did meanwhile is in every figure. */
export function describeMachine(): string {
  const [load = 0] = loadavg();
  return `${availableParallelism()} cores, load average ${load.toFixed(1)}, Node ${process.version}`;
}

/** Puts a table between the marks of that name. @throws Trouble when the file has no such marks */
export function writeReport(file: string, of: { mark: string; heading: string; table: Table }): void {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- results: ${of.mark} -->`, `<!-- end: ${of.mark} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Trouble(`${file} has no marks ${begin} and ${end}.`);
  const content = `${begin}\n\n${of.heading}\n\n${asMarkdown(of.table)}\n\n`;
  writeFileSync(file, text.slice(0, from) + content + text.slice(to));
}

function asMarkdown(table: Table): string {
  const widths = widthsOf(table);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [headings = [], ...rest] = table;
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}

function widthsOf(table: Table): number[] {
  return (table[0] ?? []).map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
}

function toCells(result: RunResult): string[] {
  const { seed, faults, messages, acknowledged, orders, refunds, seconds, notRun, findings } = result;
  return [
    seed,
    faults.join(' '),
    killsOf(result),
    exactKillsOf(result),
    messages,
    acknowledged,
    orders,
    refunds,
    lookedAt(result),
    seconds,
    Object.keys(notRun).join(', ') || '-',
    findings.length,
  ].map(String);
}

function sumUp(results: readonly RunResult[]): string[] {
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return [
    'all',
    `${results.length} runs`,
    sum(killsOf),
    sum(exactKillsOf),
    sum(({ messages }) => messages),
    sum(({ acknowledged }) => acknowledged),
    sum(({ orders }) => orders),
    sum(({ refunds }) => refunds),
    sum(lookedAt),
    sum(({ seconds }) => seconds),
    '',
    sum(({ findings }) => findings.length),
  ].map(String);
}

export function killsOf({ kills }: RunResult): number {
  return Object.values(kills).reduce((sum, count) => sum + count, 0);
}

function exactKillsOf(result: RunResult): number {
  return killsOf(result) - (result.kills.random ?? 0);
}

/** How many things the invariants looked at. */
function lookedAt({ judged }: RunResult): number {
  return Object.values(judged.examined).reduce((sum, count) => sum + count, 0);
}
