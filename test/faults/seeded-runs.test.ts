import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { killBackends } from '../support/process.ts';
import type { FaultNumber } from './run/fault-numbers.ts';
import { DATA_DIR } from './run/library.ts';
import { runSeed } from './run/run.ts';
import type { FaultServer } from './run/server.ts';
import { startServerLikeTheOneUnderTest } from './run/server-under-test.ts';
import { makeRunDir } from './run/world.ts';

/** A start on a busy machine takes many seconds, and every kill is one. */
const RUN_WITHIN_MS = 600_000;
const SERVER_WITHIN_MS = 120_000;

const RUNS: readonly { seed: number; only: readonly FaultNumber[]; kills: number }[] = [
  { seed: 101, only: ['F1', 'F3', 'F9'], kills: 6 },
  { seed: 102, only: ['F1', 'F5', 'F7', 'F10', 'F12'], kills: 4 },
  { seed: 103, only: ['F1', 'F16', 'F17', 'F19', 'F28'], kills: 4 },
];

let server: FaultServer;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wxpay-runs-'));
  server = await startServerLikeTheOneUnderTest(dir);
}, SERVER_WITHIN_MS);

afterEach(() => killBackends());

afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}, SERVER_WITHIN_MS);

describe('a seeded fault run', () => {
  // Prevents that a fault nobody thought of alone loses an order, grants it twice or refunds it too often.
  it.each(RUNS)(
    'finds nothing with seed $seed and faults $only',
    async (run) => {
      // Not in the temporary folder: what was found is looked at afterwards.
      const runDir = makeRunDir(join(DATA_DIR, 'faults'), `test-${server.kind}-${run.seed}`);
      const options = { ...run, server, dir: runDir, keep: false };
      const result = await runSeed({ ...options, say: () => undefined });
      console.log(
        `seed ${run.seed} on ${result.server}: ${JSON.stringify(result.kills)} kills, ${result.messages} messages, ${result.seconds} s; not run: ${JSON.stringify(result.notRun)}`,
      );
      expect(result.findings).toEqual([]);
      const kills = Object.values(result.kills).reduce((sum, count) => sum + count, 0);
      expect(kills).toBeGreaterThanOrEqual(run.kills);
      expect(result.acknowledged).toBeGreaterThan(0);
    },
    RUN_WITHIN_MS,
  );
});
