import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSecret, parseDotEnv, readEnvironment } from '../../scripts/lib/dot-env.mjs';
import { toTerminalLine } from '../../scripts/lib/log-lines.mjs';

const SHUTDOWN = new URL('../../scripts/lib/shutdown.mjs', import.meta.url).href;
/** A second signal within a second of the first is taken for npm's copy of the same keypress. */
const NEXT_KEYPRESS_MS = 1_200;
/** Longer than any of these tests: what takes this long was not ended. */
const TOO_SLOW_MS = 30_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wxpay-bootstrap-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('parseDotEnv', () => {
  it('reads plain, quoted, commented and multi-line values, the last of a name counting', () => {
    const text = [
      '# a comment',
      'PLAIN=a b#c  # trailing comment',
      'export EXPORTED = 1',
      "SINGLE='# kept \\n'",
      'DOUBLE="a\\nb" # comment',
      'PEM="-----BEGIN',
      'line',
      '-----END"',
      'EMPTY=',
      'COMMENTED= # nothing',
      'TWICE=1',
      'TWICE=2',
      'UNENDED="open',
      'not an assignment',
    ].join('\r\n');
    expect(parseDotEnv(text)).toEqual({
      PLAIN: 'a b#c',
      EXPORTED: '1',
      SINGLE: '# kept \\n',
      DOUBLE: 'a\nb',
      PEM: '-----BEGIN\nline\n-----END',
      EMPTY: '',
      COMMENTED: '',
      TWICE: '2',
      UNENDED: '"open',
    });
  });

  it('lets a variable of the process win, unless it is set to nothing', () => {
    const file = join(dir, '.env');
    writeFileSync(file, 'BOOTSTRAP_A=file\nBOOTSTRAP_B=file\n');
    process.env.BOOTSTRAP_A = 'process';
    process.env.BOOTSTRAP_B = '';
    try {
      expect(readEnvironment(file)).toMatchObject({ BOOTSTRAP_A: 'process', BOOTSTRAP_B: 'file' });
    } finally {
      delete process.env.BOOTSTRAP_A;
      delete process.env.BOOTSTRAP_B;
    }
  });
});

describe('ensureSecret', () => {
  it('makes one secret for a fresh clone, readable by its owner only, and keeps it', () => {
    const file = join(dir, '.env');
    const env: Record<string, string | undefined> = {};
    expect(ensureSecret(file, env)).toBe(true);
    expect(env.INTERNAL_API_SECRET).toMatch(/^[0-9a-f]{48}$/);
    expect(parseDotEnv(readFileSync(file, 'utf8'))).toEqual({ INTERNAL_API_SECRET: env.INTERNAL_API_SECRET });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureSecret(file, env)).toBe(false);
  });

  it('fills the empty line of a copied example and leaves every other line and the mode alone', () => {
    const file = join(dir, '.env');
    writeFileSync(file, 'PORT=8081\nINTERNAL_API_SECRET=\nDB_NAME=x', { mode: 0o640 });
    const env: Record<string, string | undefined> = {};
    ensureSecret(file, env);
    expect(readFileSync(file, 'utf8')).toBe(
      `PORT=8081\nINTERNAL_API_SECRET=${env.INTERNAL_API_SECRET}\nDB_NAME=x`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('begins a line of its own after a file that does not end with one', () => {
    const file = join(dir, '.env');
    writeFileSync(file, 'PORT=8081');
    const env: Record<string, string | undefined> = {};
    ensureSecret(file, env);
    expect(parseDotEnv(readFileSync(file, 'utf8'))).toEqual({
      PORT: '8081',
      INTERNAL_API_SECRET: env.INTERNAL_API_SECRET,
    });
  });
});

describe('toTerminalLine', () => {
  const warning =
    '{"level":40,"time":"2026-11-23T01:02:03.004Z","pid":7,"event":"spool.filling","depth":3,"error":{"code":"E"}}';

  it('shortens a warning to its time, event and fields', () => {
    expect(toTerminalLine(warning, { verbose: false })).toBe(
      '01:02:03 warn  spool.filling depth=3 error={"code":"E"}',
    );
  });

  it('hides what is ordinary unless asked, and never a line that is not JSON', () => {
    const ordinary = warning.replace('40', '30');
    expect(toTerminalLine(ordinary, { verbose: false })).toBeUndefined();
    expect(toTerminalLine(ordinary, { verbose: true })).toContain('info  spool.filling');
    expect(toTerminalLine('PORT is not a number', { verbose: false })).toBe('PORT is not a number');
    expect(toTerminalLine('{"level":40,"event":"cut off by a ki', { verbose: false })).toContain('cut off');
  });
});

describe('the end of a script', () => {
  /** The application takes `appStopMs` to stop; each step writes its name. */
  function startScript({
    appStopMs,
    isMeantToBeStopped,
  }: {
    appStopMs: number;
    isMeantToBeStopped: boolean;
  }) {
    const code = `
      import { runScript, untilExit } from ${JSON.stringify(SHUTDOWN)};
      const thing = (name, stopMs) => untilExit({
        stop: () => new Promise((done) => setTimeout(() => { console.log('stopped ' + name); done(); }, stopMs)),
        kill: () => console.log('killed ' + name),
      });
      await runScript(() => {
        thing('server', 0);
        thing('application', ${appStopMs});
        console.log('ready');
        return new Promise((done) => setTimeout(done, ${TOO_SLOW_MS}));
      }, { isMeantToBeStopped: ${isMeantToBeStopped} });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = once(child, 'close').then(([exitCode]) => ({
      exitCode: exitCode as number,
      lines: output.trim().split('\n'),
    }));
    const ready = once(child.stdout, 'data');
    return { child, ready, ended };
  }

  it('stops the application before its database, once, although npm repeats the signal', async () => {
    const { child, ready, ended } = startScript({ appStopMs: 100, isMeantToBeStopped: true });
    await ready;
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await ended).toEqual({ exitCode: 0, lines: ['ready', 'stopped application', 'stopped server'] });
  });

  it('tells by its exit code that a test run was interrupted', async () => {
    const { child, ready, ended } = startScript({ appStopMs: 0, isMeantToBeStopped: false });
    await ready;
    child.kill('SIGTERM');
    expect((await ended).exitCode).toBe(143);
  });

  it('kills everything at a second Ctrl-C when stopping takes too long', async () => {
    const { child, ready, ended } = startScript({ appStopMs: TOO_SLOW_MS, isMeantToBeStopped: true });
    await ready;
    child.kill('SIGINT');
    await sleep(NEXT_KEYPRESS_MS);
    child.kill('SIGINT');
    expect(await ended).toEqual({ exitCode: 130, lines: ['ready', 'killed application', 'killed server'] });
  });
});
