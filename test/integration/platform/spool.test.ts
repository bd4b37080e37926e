import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/platform/config/app-config.js';
import { AppLogger } from '../../../src/platform/logging/app-logger.js';
import type { SpoolOperation, SpoolRecord } from '../../../src/platform/spool/spool-protocol.js';
import { SpoolService } from '../../../src/platform/spool/spool.service.js';

const record = (payload = '{}'): SpoolRecord => ({
  dedupeKey: randomUUID(),
  topic: 'topic',
  outTradeNo: '170634567890112345',
  payload,
  receivedAtMs: 1_706_345_678_901,
});

const ALONE = `
  import { writeSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  process.on('SIGXFSZ', () => {}); // a file that must not grow is an error then, and no end
  const [url, dir, operation] = process.argv.slice(1);
  const worker = new Worker(new URL(url), { workerData: { dir, sizeMbMax: 16 }, execArgv: [] });
  worker.on('message', (reply) => {
    writeSync(1, JSON.stringify(reply));
    process.kill(process.pid, 'SIGKILL');
  });
  worker.postMessage({ id: 1, ...JSON.parse(operation) });`;
const WORKER_URL = new URL('../../../src/platform/spool/spool-worker.ts', import.meta.url).href;

/** One operation in a process of its own, which is killed then and leaves everything as it was at that moment. */
function runAlone(dir: string, operation: SpoolOperation, { mayGrow = true } = {}): unknown {
  const limit = mayGrow ? '' : 'ulimit -f 0; ';
  const script = `${limit}exec "$0" --input-type=module -e "$@"`;
  const { stdout } = spawnSync(
    'bash',
    ['-c', script, process.execPath, ALONE, WORKER_URL, dir, JSON.stringify(operation)],
    { encoding: 'utf8' },
  );
  return JSON.parse(stdout);
}

describe('spool', () => {
  let dir: string;
  let opened: SpoolService[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wxpay-spool-'));
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((spool) => spool.onApplicationShutdown()));
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(sizeMbMax = 16): Promise<SpoolService> {
    const config = loadConfig({
      DB_HOST: 'none',
      DB_USER: 'none',
      DB_NAME: 'none',
      INTERNAL_API_SECRET: 'the-secret-of-the-tests-only',
      SPOOL_DIR: dir,
      SPOOL_SIZE_MB_MAX: String(sizeMbMax),
      LOG_LEVEL: 'silent',
    });
    const spool = new SpoolService(config, new AppLogger(config));
    opened.push(spool);
    await spool.onModuleInit();
    return spool;
  }

  it('keeps records in the order they came, each once, across a restart', async () => {
    const first = await open();
    const records = [record('"a"'), record('"b"'), record('"c"')];
    await Promise.all([...records, ...records].map((one) => first.append(one)));
    await first.onApplicationShutdown();
    opened = [];
    const second = await open();
    const read = await second.read(0, 10);
    expect(read.map(({ payload }) => payload)).toEqual(['"a"', '"b"', '"c"']);
    await second.remove(read.slice(0, 2).map(({ seq }) => seq));
    expect(await second.stats()).toMatchObject({ depth: 1, oldestReceivedAtMs: 1_706_345_678_901 });
  });

  it('lets nobody else read the openids in it', async () => {
    const spool = await open();
    await spool.append(record());
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o077).toBe(0);
  });

  // A bit that flipped on the disk must neither be applied nor hold back the records behind it.
  it('sets a damaged record aside and goes on with the next', async () => {
    const spool = await open();
    await spool.append(record('{"amount":1}'));
    await spool.append(record('{"amount":2}'));
    const side = new DatabaseSync(join(dir, 'spool.db'));
    side.exec(`UPDATE messages SET payload = '{"amount":9}' WHERE seq = 1`);
    side.close();
    expect((await spool.read(0, 10)).map(({ payload }) => payload)).toEqual(['{"amount":2}']);
    expect(await spool.stats()).toMatchObject({ depth: 1, setAside: 1 });
  });

  // The caller sends once; its sound repeat must not be answered 200 and dropped for the damaged copy.
  it('takes a sound repeat of a damaged record in its place', async () => {
    const spool = await open();
    const sound = record('{"amount":1}');
    await spool.append(sound);
    const side = new DatabaseSync(join(dir, 'spool.db'));
    side.exec(`UPDATE messages SET payload = '{"amount":9}'`);
    side.close();
    expect(await spool.read(0, 10)).toEqual([]);
    await spool.append({ ...sound, receivedAtMs: sound.receivedAtMs + 5 });
    expect((await spool.read(0, 10)).map(({ payload }) => payload)).toEqual(['{"amount":1}']);
    expect(await spool.stats()).toMatchObject({ depth: 1, setAside: 0 });
  });

  it('refuses when it is full, and takes records again when there is room', async () => {
    const spool = await open(1);
    const large = JSON.stringify('x'.repeat(100_000));
    let stored = 0;
    const refusal = await (async () => {
      for (; stored < 30; stored += 1) {
        try {
          await spool.append(record(large));
        } catch (error) {
          return error;
        }
      }
      return null;
    })();
    expect(refusal).toMatchObject({ code: 'storage_unavailable', kind: 'unavailable' });
    const kept = await spool.read(0, 100);
    expect(kept).toHaveLength(stored);
    await spool.remove(kept.map(({ seq }) => seq));
    await expect(spool.append(record(large))).resolves.toBeUndefined();
  });

  // A restart on a full disk: the records are sound, and must not be put away for a disk that has no room at this moment.
  it('keeps the file where a disk does not let it be opened, and goes on with it when it does', async () => {
    expect(runAlone(dir, { op: 'append', record: record('"kept"') })).toMatchObject({ ok: true });
    expect(runAlone(dir, { op: 'stats' }, { mayGrow: false })).toMatchObject({ ok: false });
    expect(readdirSync(dir).filter((name) => name.includes('suspect'))).toEqual([]);
    const spool = await open();
    expect((await spool.read(0, 10)).map(({ payload }) => payload)).toEqual(['"kept"']);
  });

  it('replaces a file that is no spool and keeps it beside the new one', async () => {
    writeFileSync(join(dir, 'spool.db'), 'this is no database, but somebody may need it'.repeat(100));
    const spool = await open();
    await expect(spool.append(record())).resolves.toBeUndefined();
    expect(readdirSync(dir).filter((name) => name.includes('suspect'))).toHaveLength(1);
    expect(await spool.stats()).toMatchObject({ depth: 1, suspectFiles: 1 });
  });
});
