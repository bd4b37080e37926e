import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { DURABLE } from './database.ts';
import type { DurableServer } from './database.ts';
import { say } from './library.ts';
import type { Line, Measurement } from './measurement.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDecimals = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const LEFT_ALIGNED = 2;
const HEADINGS = [
  'work',
  'who',
  'connections',
  'per second',
  'p50 ms',
  'p99 ms',
  'non-2xx',
  'memory MB',
  '× peer',
  '× limit',
];

type Conditions = Readonly<Record<string, string | number>>;

export function describeConditions({ version, settings }: DurableServer, run: Conditions): Conditions {
  return {
    server: version,
    ...settings,
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model.trim() || 'unknown',
    node: process.version,
    // Before the first load: what else the machine does at the same time is in every figure.
    loadAverageAtStart: oneDecimal.format(loadavg()[0] ?? 0),
    ...run,
  };
}

/** Before anything is measured: what the server said, and not what it was told. */
export function sayDurability({ version, settings }: DurableServer): void {
  const durable = Object.keys(DURABLE).map((name) => `${name}=${settings[name]}`);
  say(`The database server is ${version} with ${durable.join(', ')}.`);
}

export function sayConditions(conditions: Conditions): void {
  for (const [name, value] of Object.entries(conditions)) say(`  ${name} = ${value}`);
}

/** One measurement in a line, as it is made. */
export function describe(measurement: Measurement): string {
  const { work, perSecond, p50Ms, p99Ms, residentMb } = measurement;
  return [
    work,
    ...(perSecond === null ? [] : [`${whole.format(perSecond)} per second`]),
    ...(p50Ms === null ? [] : [`p50 ${oneDecimal.format(p50Ms)} ms`]),
    ...(p99Ms === null ? [] : [`p99 ${oneDecimal.format(p99Ms)} ms`]),
    ...(residentMb === null ? [] : [`${whole.format(residentMb)} MB resident`]),
  ].join(', ');
}

export function formatTable(lines: readonly Line[]): string {
  return alignTable([HEADINGS, ...lines.map(toCells)], LEFT_ALIGNED);
}

/** Lines of cells, the headings first, as a table; its first columns are words, the others numbers. */
export function alignTable(lines: readonly (readonly string[])[], leftAligned: number): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => [...(cells[column] ?? '')].length)),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column < leftAligned ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function writeJsonFile(file: string, result: object): void {
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

function toCells(each: Line): string[] {
  const optional = (format: Intl.NumberFormat, value: number | null) =>
    value === null ? '' : format.format(value);
  return [
    each.work,
    each.contender,
    optional(whole, each.connections),
    optional(whole, each.perSecond),
    optional(oneDecimal, each.p50Ms),
    optional(oneDecimal, each.p99Ms),
    optional(whole, each.non2xx),
    optional(whole, each.residentMb),
    optional(twoDecimals, each.ratioToPeer),
    optional(twoDecimals, each.ratioToLimit),
  ];
}
