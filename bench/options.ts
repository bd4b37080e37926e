import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Trouble } from './library.ts';

const PARTS = ['notices', 'orders', 'spool', 'backlogs', 'prices'] as const;

export type Part = (typeof PARTS)[number];

export const HELP = `npm run bench [-- --runs N --seconds N --connections N,… --only PART,… --json FILE]

Measures the built backend beside a peer (what a merchant's engineers would write: Express and mysql2, one transaction for
each order) and a limit (a bare Fastify; for what is kept, one with an INSERT for each group of requests), one after the
other, on a durable database server of its own that is thrown away afterwards. A run takes about five minutes.

  --runs N           so many runs, and the medians of them (default 1)
  --seconds N        seconds of load per measurement, after a warm-up of 2 s (default 8)
  --connections N,…  how many connections, one round for each (default 32,256)
  --only PART,…      of ${PARTS.join(', ')}
  --json FILE        writes the figures to a file, too
  --help             shows this

  TEST_DB_URL=mysql://user:password@127.0.0.1:port npm run bench   on a server of yours with durable settings, on this
                     machine (its user must create databases; those made are dropped again)`;

export type Options = {
  readonly help: boolean;
  readonly runs: number;
  readonly seconds: number;
  readonly parts: readonly Part[];
  readonly connections: readonly number[];
  readonly jsonFile: string | undefined;
};

const RUNS_MAX = 20;
const SECONDS_MAX = 600;
/** Each connection takes one open file on both sides, and a process has 1,024 of them on many machines. */
const CONNECTIONS_MAX = 900;

/** @throws {Trouble} naming the argument that is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parse(args);
  return {
    help: values.help,
    runs: readInteger('--runs', values.runs, RUNS_MAX),
    parts: readParts(values.only),
    seconds: readInteger('--seconds', values.seconds, SECONDS_MAX),
    connections: [
      ...new Set(
        values.connections.split(',').map((text) => readInteger('--connections', text, CONNECTIONS_MAX)),
      ),
    ],
    jsonFile: values.json === undefined ? undefined : writableFile(values.json),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        help: { type: 'boolean', default: false },
        runs: { type: 'string', default: '1' },
        seconds: { type: 'string', default: '8' },
        only: { type: 'string', default: PARTS.join(',') },
        connections: { type: 'string', default: '32,256' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\n\n${HELP}`);
  }
}

function readParts(text: string): Part[] {
  return text.split(',').map((name) => {
    const part = PARTS.find((each) => each === name.trim());
    if (!part) throw new Trouble(`--only: there is no ${name}; there are ${PARTS.join(', ')}.`);
    return part;
  });
}

function readInteger(name: string, text: string, max: number): number {
  const value = /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0;
  if (value < 1 || value > max) throw new Trouble(`${name} must be a whole number from 1 to ${max}.`);
  return value;
}

/** Told now, and not after minutes of measuring. */
export function writableFile(path: string): string {
  const file = resolve(path);
  if (!existsSync(dirname(file))) throw new Trouble(`--json: the folder of ${path} does not exist.`);
  return file;
}
