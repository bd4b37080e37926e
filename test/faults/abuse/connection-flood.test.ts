import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INTERNAL_SECRET } from '../../support/secrets.ts';
import { orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { Caller, countBy, offer, p99Ms } from '../../support/open-loop.js';
import type { Outcome } from '../../support/open-loop.js';
import { killBackends, startBackend } from '../../support/process.js';
import type { BackendProcess } from '../../support/process.js';
import { openRaw } from '../../support/raw-sockets.js';
import type { RawSocket } from '../../support/raw-sockets.js';
import { eventually } from '../../support/until.ts';

const CONNECTIONS_MAX = 1_000;
/** The files, the pipes and the connections to MySQL. */
const OTHER_DESCRIPTORS_MAX = 100;
const RSS_BYTES_MAX = 400 * 1024 * 1024;

/** Of each three one is silent, one stops within its headers, and one within its body. */
const FLOOD_CONNECTIONS = 5_000;
const FLOOD_PER_SECOND = 800;
const FLOOD_STEP_MS = 20;
const LOOK_MS = 250;
const CALLS_PER_SECOND = 10;
const SECONDS = 7;
const NORMAL_WITHIN_MS = 5_000;

const PATH = '/api/payment/internal/order-created';
const BEGINNINGS = [
  '',
  `POST ${PATH} HTTP/1.1\r\nHost: x\r\n`,
  `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"a":"`,
];

let database: TestDatabase;
let backend: BackendProcess;
let spoolDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-flood-'));
  backend = await startBackend(database, { SPOOL_DIR: spoolDir, LOG_LEVEL: 'warn' });
  await backend.whenReady();
});

afterAll(async () => {
  await killBackends();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

const countDescriptors = () => readdirSync(`/proc/${backend.pid}/fd`).length;
const rssBytes = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${backend.pid}/status`, 'utf8'))?.[1]) * 1024;

/** Opens connections and never ends one; `seen` keeps the most that the server had. */
async function flood(seen: { descriptors: number; rssBytes: number }): Promise<RawSocket[]> {
  const opened: RawSocket[] = [];
  const looking = setInterval(() => {
    seen.descriptors = Math.max(seen.descriptors, countDescriptors());
    seen.rssBytes = Math.max(seen.rssBytes, rssBytes());
  }, LOOK_MS);
  const startedMs = performance.now();
  while (opened.length < FLOOD_CONNECTIONS) {
    const due = ((performance.now() - startedMs) / 1_000) * FLOOD_PER_SECOND;
    while (opened.length < Math.min(due, FLOOD_CONNECTIONS)) {
      opened.push(openRaw(backend.url, BEGINNINGS[opened.length % BEGINNINGS.length]));
    }
    await new Promise((resolve) => setTimeout(resolve, FLOOD_STEP_MS));
  }
  clearInterval(looking);
  return opened;
}

describe('a flood of connections', () => {
  // Prevents silent connections from using up the descriptors of the process, and with them the callers' way in (fault 22).
  it('takes no more than the limit, and the callers are served meanwhile', async () => {
    const seen = { descriptors: 0, rssBytes: 0 };
    const headers = { 'X-Internal-Secret': INTERNAL_SECRET };
    // Each on a connection of its own, as the first call of a function's instance.
    const call = (): Promise<Outcome> => {
      const caller = new Caller(backend.url);
      const sent = caller.send({ method: 'POST', path: PATH, headers, body: orderCreatedBody() });
      return sent.finally(() => caller.close());
    };
    const [flooding, calls] = await Promise.all([
      flood(seen),
      offer({ perSecond: CALLS_PER_SECOND, seconds: SECONDS }, call),
    ]);
    expect((await backend.fetch('/health/live')).status).toBe(200);
    const open = flooding.filter((client) => client.isOpen()).length;
    console.log(`${FLOOD_CONNECTIONS} connections opened, ${open} open at the end; at most`);
    console.log(`${seen.descriptors} descriptors, ${Math.round(seen.rssBytes / 2 ** 20)} MB;`);
    console.log(`calls ${JSON.stringify(countBy(calls))}, p99 ${p99Ms(calls)} ms`);
    expect(seen.descriptors).toBeLessThan(CONNECTIONS_MAX + OTHER_DESCRIPTORS_MAX);
    expect(seen.rssBytes).toBeLessThan(RSS_BYTES_MAX);
    expect(countBy(calls)).toEqual({ 200: CALLS_PER_SECOND * SECONDS });

    for (const { socket } of flooding) socket.destroy();
    const endedMs = performance.now();
    await eventually(() => expect(countDescriptors()).toBeLessThan(OTHER_DESCRIPTORS_MAX));
    expect((await call()).status).toBe(200);
    expect(performance.now() - endedMs).toBeLessThan(NORMAL_WITHIN_MS);
  });
});
