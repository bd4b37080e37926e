import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from './library.ts';

const SYNCS = 'fdatasync,fsync';
const ATTACHED_WITHIN_MS = 5_000;
const DETACHED_WITHIN_MS = 3_000;

/** What strace does to the calls it is told about, counted for each thread from the moment it is attached. */
export type Injection = {
  /** In strace's words: `signal=SIGKILL`, `error=EIO`, `delay_exit=500000` (microseconds). */
  readonly action: string;
  /** Which of the calls: `3`, `2+` or `1..4`; all of them when absent. */
  readonly when?: string;
  readonly syscalls?: string;
};

/** @returns why no fault can be injected into system calls here, or null when it can */
export function whyNoStrace(): string | null {
  if (process.platform !== 'linux') return 'strace is there on Linux only';
  const strace = findProgram('strace');
  if (!strace) return 'strace is not installed';
  try {
    execFileSync(strace, ['-e', 'trace=fsync', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'strace may not trace processes here';
  }
}

/** Resolves when every thread of the process is traced. */
export async function traceSyscalls(pid: number, injection: Injection): Promise<{ stop(): Promise<void> }> {
  const { action, when, syscalls = SYNCS } = injection;
  const inject = `inject=${syscalls}:${action}${when ? `:when=${when}` : ''}`;
  const child = spawn('strace', ['-f', '-p', String(pid), '-e', `trace=${syscalls}`, '-e', inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('strace did not attach')), ATTACHED_WITHIN_MS);
    const settle = (then: () => void) => {
      clearTimeout(late);
      then();
    };
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('attached')) settle(resolve);
    });
    child.once('error', (error) => settle(() => reject(error)));
    child.once('close', () => settle(() => reject(new Error(`strace ended: ${said.slice(0, 500)}`))));
  });
  return {
    async stop() {
      // Detaches, and the traced process goes on. One that dies at that moment leaves strace waiting for it for ever.
      if (child.exitCode === null) child.kill('SIGINT');
      const impatience = setTimeout(() => child.kill('SIGKILL'), DETACHED_WITHIN_MS);
      await ended;
      clearTimeout(impatience);
    },
  };
}
