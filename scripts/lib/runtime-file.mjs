import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATA_DIR } from './paths.mjs';

const FILE = join(DATA_DIR, 'runtime.json');
const OWNER_ONLY = 0o600;

/**
 * Where the backend of `npm start` is, for `npm run simulate` and `npm run bench`. It holds a database password.
 * @param {{ baseUrl: string, appPid: number, db: { host: string, port: number, user: string, password: string, name: string } }} runtime
 */
export function writeRuntime(runtime) {
  rmSync(FILE, { force: true }); // the mode counts only for a new file
  writeFileSync(FILE, `${JSON.stringify(runtime, null, 2)}\n`, { mode: OWNER_ONLY });
}

export const removeRuntime = () => rmSync(FILE, { force: true });

/** @returns what the last start wrote, or undefined when it has ended in order */
export function readRuntime() {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : undefined;
}
