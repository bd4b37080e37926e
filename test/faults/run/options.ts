import { parseArgs } from 'node:util';
import { FAULTS, isFaultNumber } from './fault-numbers.ts';
import type { FaultNumber } from './fault-numbers.ts';
import { Trouble } from './library.ts';
import type { ServerKind } from './library.ts';

export const HELP = `npm run faults [-- --seed N --runs N --only F3,F7 --server mysql|mariadb …]

Plays a shop against two replicas of the backend while they, their database, disks and networks fail; heals everything,
waits until nothing is left to do, and holds what everybody said and wrote against the rules of docs/faults.md. On this
machine only, on a database server of its own, and everything it starts ends with it.

  --seed N       the first seed; it decides the whole plan of a run (not the timing of the machine)
  --runs N       how many runs, with this seed and those after it (default 1)
  --only F3,F7   these faults instead of those the seed draws
  --kills N      how many kills of F1 and F2 a run has, besides the walk over the exact points (default 20)
  --jobs N       how many runs at the same time, each with a server of its own (default 1)
  --server KIND  mariadb (default) or mysql; the MySQL server is named in MYSQLD when it is not on the PATH
  --measure      measures the promises about time instead of playing seeds
  --prove        plays the planted bugs instead, each of which must be found; --bug WORDS: those with WORDS in their names
  --json FILE    writes the results into this file as well
  --add          adds to the results that the file of --json has, instead of beginning anew
  --report FILE  puts the table of results between the marks of this file (docs/faults.md)
  --keep         keeps the evidence of good runs, too; that of bad ones is always kept in .data/faults
  --help         shows this

Faults
${Object.entries(FAULTS)
  .map(([number, about]) => `  ${number.padEnd(5)}${about}`)
  .join('\n')}`;

export type Options = {
  readonly help: boolean;
  readonly seed: number;
  readonly runs: number;
  readonly only: readonly FaultNumber[];
  readonly kills: number;
  readonly jobs: number;
  readonly server: ServerKind;
  readonly measure: boolean;
  readonly prove: boolean;
  readonly bug: string;
  readonly jsonFile: string | null;
  readonly add: boolean;
  readonly reportFile: string | null;
  readonly keep: boolean;
};

const KILLS_DEFAULT = 20;
const KILLS_MAX = 10_000;
const RUNS_MAX = 10_000;
const JOBS_MAX = 64;
const SEED_MAX = 2 ** 31 - 1;

/** @throws Trouble saying which option is wrong */
export function readOptions(args: readonly string[]): Options {
  const given = parse(args);
  if (given.add && given.json === undefined) throw new Trouble('--add needs --json FILE, to which it adds.');
  return {
    help: given.help ?? false,
    seed: given.seed === undefined ? Date.now() % SEED_MAX : wholeNumber('--seed', given.seed, SEED_MAX),
    runs: given.runs === undefined ? 1 : wholeNumber('--runs', given.runs, RUNS_MAX),
    only: (given.only ?? []).flatMap((numbers) => numbers.split(',')).map(faultNumber),
    kills: given.kills === undefined ? KILLS_DEFAULT : wholeNumber('--kills', given.kills, KILLS_MAX),
    jobs: given.jobs === undefined ? 1 : Math.max(1, wholeNumber('--jobs', given.jobs, JOBS_MAX)),
    server: serverKind(given.server ?? 'mariadb'),
    measure: given.measure ?? false,
    prove: given.prove ?? false,
    bug: given.bug ?? '',
    jsonFile: given.json ?? null,
    add: given.add ?? false,
    reportFile: given.report ?? null,
    keep: given.keep ?? false,
  };
}

type Given = {
  help?: boolean;
  seed?: string;
  runs?: string;
  only?: string[];
  kills?: string;
  jobs?: string;
  server?: string;
  measure?: boolean;
  prove?: boolean;
  bug?: string;
  json?: string;
  add?: boolean;
  report?: string;
  keep?: boolean;
};

function parse(args: readonly string[]): Given {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        seed: { type: 'string' },
        runs: { type: 'string' },
        only: { type: 'string', multiple: true },
        kills: { type: 'string' },
        jobs: { type: 'string' },
        server: { type: 'string' },
        measure: { type: 'boolean' },
        prove: { type: 'boolean' },
        bug: { type: 'string' },
        json: { type: 'string' },
        add: { type: 'boolean' },
        report: { type: 'string' },
        keep: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Trouble(`${message}\nSee npm run faults -- --help`);
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value) || value > max) throw new Trouble(`${name} must be a whole number up to ${max}.`);
  return value;
}

function faultNumber(text: string): FaultNumber {
  if (isFaultNumber(text)) return text;
  throw new Trouble(`There is no fault ${text}. There are: ${Object.keys(FAULTS).join(', ')}.`);
}

function serverKind(text: string): ServerKind {
  if (text === 'mariadb' || text === 'mysql') return text;
  throw new Trouble('--server must be mariadb or mysql.');
}
