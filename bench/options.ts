import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Trouble } from './library.ts';

export const HELP = `npm run bench [-- --seconds N --connections N,… --json FILE]

Measures the built backend beside a bare Fastify (the limit) and a textbook Express + mysql2 service (the peer), one
after the other, on a durable database server of its own that is thrown away afterwards. Takes several minutes.

  --seconds N        seconds of load per measurement, after a warm-up of 2 s (default 10)
  --connections N,…  how many connections, one round for each (default 32,256)
  --json FILE        writes the figures to a file, too
  --help             shows this

  TEST_DB_URL=mysql://user:password@127.0.0.1:port npm run bench   on a server of yours with durable settings, on this
                     machine (its user must create databases; those made are dropped again)`;

export type Options = {
  readonly help: boolean;
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly jsonFile: string | undefined;
};

const SECONDS_MAX = 600;
/** Each connection takes one open file on both sides, and a process has 1,024 of them on many machines. */
const CONNECTIONS_MAX = 900;

/** @throws {Trouble} naming the argument that is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parse(args);
  return {
    help: values.help,
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
        seconds: { type: 'string', default: '10' },
        connections: { type: 'string', default: '32,256' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\n\n${HELP}`);
  }
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
