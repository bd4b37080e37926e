import { generateKeyPairSync } from 'node:crypto';
import { fork } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseEnv, INTERNAL_SECRET } from './contenders.ts';
import type { DatabaseAddress } from './database.ts';
import { findFreePort, LOOPBACK, Trouble, untilExit } from './library.ts';
import type { TickGrowth, TickTarget } from './tick-process.ts';

const PROGRAM = fileURLToPath(new URL('tick-process.ts', import.meta.url));
const LAST_LINES = 15;

/** What one tick of each periodic job costs while nothing is due, over few orders and over all, in a process of its own. */
export async function measureTicks(
  workDir: string,
  address: DatabaseAddress,
  databases: { few: string; all: string },
): Promise<TickGrowth[]> {
  const targets = [databases.few, databases.all].map((name): TickTarget => ({
    DB_NAME: name,
    SPOOL_DIR: mkdtempSync(join(workDir, 'spool-')),
  }));
  const logFile = join(workDir, 'ticks.log');
  const log = openSync(logFile, 'w');
  const child = fork(PROGRAM, {
    cwd: workDir,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      INTERNAL_API_SECRET: INTERNAL_SECRET,
      LOG_LEVEL: 'error',
      TICK_TARGETS: JSON.stringify(targets),
      ...databaseEnv(address, databases.all),
      ...(await channelsEnv()),
    },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const kill = (): void => void (child.exitCode === null && child.kill('SIGKILL'));
  const forget = untilExit({ stop: kill, kill });
  try {
    return await new Promise<TickGrowth[]>((resolve, reject) => {
      child.once('message', (growths) => resolve(growths as TickGrowth[]));
      child.once('error', reject);
      child.once('exit', () => {
        const lines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n');
        reject(new Trouble(`${lines}\n\nThe ticks were not measured.`));
      });
    });
  } finally {
    await untilEnded(child);
    forget();
  }
}

function untilEnded(child: ReturnType<typeof fork>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => child.once('exit', () => done()));
}

/** Every channel is configured, so that every job exists; nothing is due, so none of them is called, and nobody listens there. */
async function channelsEnv(): Promise<Record<string, string>> {
  const nowhere = `http://${LOOPBACK}:${await findFreePort(LOOPBACK)}`;
  const rsa = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  return {
    WECHAT_APPID: 'wxbench',
    WECHAT_MCHID: '1900000001',
    WECHAT_SERIAL_NO: 'ABCDEF0123456789',
    WECHAT_PRIVATE_KEY: rsa().privateKey,
    WECHAT_APIV3_KEY: 'b'.repeat(32),
    WECHAT_PUBLIC_KEY: rsa().publicKey,
    WECHAT_PUBLIC_KEY_ID: 'PUB_KEY_ID_BENCH',
    WECHAT_API_BASE_URL: nowhere,
    NOTICE_WEBHOOK_URL: nowhere,
    NOTICE_WEBHOOK_SECRET: INTERNAL_SECRET,
  };
}
