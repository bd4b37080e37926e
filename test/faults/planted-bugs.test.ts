import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledRoot } from '../support/process.js';
import { plant } from './planted/plant.js';
import { PLANTED_BUGS } from './planted/planted-bugs.js';

const run = promisify(execFile);
let compiled: string;
let dir: string;

beforeAll(async () => {
  compiled = await compiledRoot();
  const data = join(import.meta.dirname, '..', '..', '.data');
  mkdirSync(data, { recursive: true });
  dir = mkdtempSync(join(data, 'planted-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a planted bug', () => {
  // Prevents a proof that proves nothing: code that moved on, and a bug that is in no place any more.
  it.each(PLANTED_BUGS)('still has its place: $name', async ({ edits }) => {
    const into = join(dir, 'tree');
    plant(edits, { compiled, into });
    for (const { file } of edits) {
      await run(process.execPath, ['--check', join(into, file)]);
      expect(readFileSync(join(into, file), 'utf8')).not.toBe(readFileSync(join(compiled, file), 'utf8'));
    }
  });

  it('is refused when its place is not there exactly once', () => {
    const edit = { file: 'src/main.js', find: 'import', replace: '' };
    expect(() => plant([edit], { compiled, into: join(dir, 'tree') })).toThrow('the code has moved on');
  });
});
