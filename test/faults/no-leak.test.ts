import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOutTradeNo } from '../support/builders.js';
import { createPlainUser, createTestDatabase } from '../support/database.js';
import type { PlainUser, TestDatabase } from '../support/database.js';
import { findLeaks } from '../support/leaks.js';
import { killBackends, startBackend } from '../support/process.js';
import type { BackendProcess } from '../support/process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/until.ts';

/** Words that occur nowhere else. Letters and digits only: URL and JSON escapes leave them as they are. */
const CANARY = {
  openid: 'K9canaryOpenid4f',
  otherOpenid: 'K9canaryPayer51',
  unionid: 'K9canaryUnionid8a',
  nickname: 'K9canaryNickname2c',
  phone: 'K9canaryPhone7e',
  dbError: 'K9canaryDbError3b',
  secret: 'K9canarySecret9d',
  wrongSecret: 'K9canaryWrong6e',
  dbPassword: 'K9canaryPassword1f',
};
const WORDS = Object.values(CANARY);
/** What a client of the shop puts where a number or an id belongs: a name, or somebody's openid. */
const MISPLACED = 'k9canarymisplaced0d'; // in small letters, as some fields are kept

/** These must not even be on the disk or in the inbox; openids are, because the orders need them. */
const NEVER_STORED = [CANARY.dbError, CANARY.secret, CANARY.wrongSecret, CANARY.dbPassword];

const SECRET = `s+/"${CANARY.secret}`;
const OPENID = `o+/${CANARY.openid}"=`;
const PAYER = `o${CANARY.otherOpenid}`;

let database: TestDatabase;
let user: PlainUser;
let proxy: TcpProxy;
let spoolDir: string;
let backend: BackendProcess;
/** Status lines, headers and bodies of every answer. */
let answers: string[];

beforeAll(async () => {
  answers = [];
  database = await createTestDatabase();
  user = await createPlainUser(database, `p+/"${CANARY.dbPassword}`);
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-leak-'));
  backend = await startBackend(database, environment());
  await backend.whenReady();
  await ordinaryTraffic();
  await misplacedTraffic();
  await badTraffic();
  await breakTheHandlers();
  await breakTheOpenids();
  await breakTheInbox();
  await outages();
  await backend.end('SIGTERM');
});

afterAll(async () => {
  await killBackends();
  await proxy.close();
  await user.drop();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

function environment(changes: Record<string, string> = {}) {
  return {
    ...user.env,
    ...proxy.env,
    SPOOL_DIR: spoolDir,
    LOG_LEVEL: 'debug',
    // A notice without an order becomes an exception at once, so that the inbox comes to rest.
    ORDER_WAIT_MINUTES: '0',
    INTERNAL_API_SECRET: SECRET,
    INTERNAL_API_SECRET_PREVIOUS: `${SECRET}-previous`,
    ...changes,
  };
}

async function send(path: string, init: RequestInit = {}): Promise<number> {
  const { status, headers, text } = await backend.fetch(path, init);
  answers.push(`${status} ${JSON.stringify([...headers])} ${text}`);
  return status;
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<number> {
  return send(`/api/payment/internal/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Internal-Secret': SECRET, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function order(changes: Record<string, unknown> = {}) {
  const outTradeNo = newOutTradeNo();
  return {
    outTradeNo,
    userId: `user-${outTradeNo}`,
    openid: OPENID,
    unionid: CANARY.unionid,
    nickname: CANARY.nickname,
    phone: CANARY.phone,
    amount: 2990,
    packageType: 'premium',
    dbError: `connect ETIMEDOUT mysql://shop:${CANARY.dbError}@10.0.0.1:3306/shop (password=${CANARY.dbError})`,
    ...changes,
  };
}

const notice = (outTradeNo: string, changes: Record<string, unknown> = {}) => ({
  outTradeNo,
  transactionId: `4200${outTradeNo}`,
  status: 'paid',
  openid: PAYER,
  ...changes,
});

async function rowsOf(sql: string): Promise<string> {
  return JSON.stringify(await database.query(sql));
}

/** Good, odd, conflicting and refused calls, as they come on an ordinary day. */
async function ordinaryTraffic(): Promise<void> {
  for (const path of ['/api/prices/current', '/health/live', '/health/ready']) await send(path);
  const first = order();
  await post('order-created', first);
  await post('order-created', { ...first, amount: 1, userId: 'user-of-somebody-else' });
  await post('order-created', order({ amount: 'NaN' }));
  await post('order-created', order({ openid: undefined, userId: undefined }));
  await post('notify', notice(first.outTradeNo));
  await post('notify', notice(first.outTradeNo, { transactionId: 'other', openid: OPENID }));
  await post('notify', notice(newOutTradeNo(), { status: 'failed' }));
  await post('notify', notice(newOutTradeNo()));
}

async function misplacedTraffic(): Promise<void> {
  await post('order-created', order({ amount: MISPLACED }));
  await post('order-created', order({ packageType: MISPLACED, amount: 1234 }));
  const known = order();
  await post('order-created', known);
  await post('order-created', { ...known, userId: MISPLACED });
  await post('notify', notice(newOutTradeNo(), { status: MISPLACED }));
  await backend.whenDrained();
}

async function badTraffic(): Promise<void> {
  const words = JSON.stringify(order());
  for (const path of ['order-created', 'notify']) {
    for (const secret of [CANARY.wrongSecret, `${SECRET}x`, ''])
      await post(path, words, { 'X-Internal-Secret': secret });
    await post(path, words.slice(0, -1));
    await post(path, `[${words}]`);
    await post(path, { ...order(), outTradeNo: OPENID });
    await post(path, { ...order(), outTradeNo: { openid: OPENID } });
    await post(path, { ...order(), dbError: CANARY.dbError.repeat(2_000) });
    await post(path, words, { 'Content-Type': 'text/plain' });
    await post(path, words, { 'Content-Encoding': 'gzip' });
    await post(path, `{"outTradeNo":"1","__proto__":${words}}`);
    await post(`${path}/${CANARY.openid}?openid=${CANARY.openid}`, words);
  }
  await send(`/api/prices/current?openid=${CANARY.openid}`, { headers: { 'X-Internal-Secret': SECRET } });
  await send(`/${CANARY.secret}`, {
    headers: { 'X-Request-Id': `"${CANARY.nickname}"`, Cookie: CANARY.openid },
  });
  await send('/health/ready', { headers: { 'X-Large': CANARY.openid.repeat(4_000) } });
}

/** A failure that nobody foresaw, in the middle of a message's work. */
async function breakTheHandlers(): Promise<void> {
  await database.query('RENAME TABLE entitlement_grants TO entitlement_grants_away');
  const paid = order();
  await post('order-created', paid);
  await post('notify', notice(paid.outTradeNo));
  await eventually(async () => expect(await database.query('SELECT id FROM error_logs')).not.toEqual([]));
  await database.query('RENAME TABLE entitlement_grants_away TO entitlement_grants');
}

/** The text of a duplicate's error shows the value: with an index nobody expected it is an openid. */
async function breakTheOpenids(): Promise<void> {
  await database.query('DELETE FROM payment_orders');
  await database.query('ALTER TABLE payment_orders ADD UNIQUE INDEX unexpected (_openid)');
  const [one, two] = [order(), order({ openid: undefined })];
  await post('order-created', one);
  await post('order-created', two);
  await eventually(async () => expect(await database.query('SELECT id FROM payment_orders')).toHaveLength(2));
  const before = await database.query('SELECT id FROM error_logs');
  await post('order-created', { ...two, openid: OPENID, userId: undefined });
  await eventually(async () =>
    expect((await database.query('SELECT id FROM error_logs')).length).toBeGreaterThan(before.length),
  );
  await database.query('ALTER TABLE payment_orders DROP INDEX unexpected');
}

async function breakTheInbox(): Promise<void> {
  await database.query('RENAME TABLE inbox_messages TO inbox_messages_away');
  expect(await post('order-created', order())).toBe(200);
  await database.query('RENAME TABLE inbox_messages_away TO inbox_messages');
  await backend.whenDrained();
}

async function outages(): Promise<void> {
  await proxy.refuse();
  await ordinaryTraffic();
  await proxy.pass();
  await backend.whenReady();
  proxy.stall();
  await ordinaryTraffic();
  readSpool();
  await proxy.pass();
  await backend.whenReady();
}

let spoolBytes = '';
function readSpool(): void {
  for (const file of readdirSync(spoolDir)) spoolBytes += readFileSync(join(spoolDir, file), 'latin1');
}

// Prevents what makes an outage a scandal: passwords and people in logs, which many read and nobody deletes.
describe('canaries in every message, header and setting', () => {
  it('are in no log line', () => {
    const lines = backend.output();
    console.log(`scanned ${lines.length} characters of log and ${answers.length} answers`);
    // The scan proves nothing unless these happened and were told.
    for (const event of ['inbox.message_failed', 'inbox.write_failed', 'database.became_unavailable']) {
      expect(lines).toContain(event);
    }
    expect(findLeaks(lines, WORDS)).toEqual([]);
  });

  it('are in no answer', () => {
    expect(answers.length).toBeGreaterThan(50);
    expect(findLeaks(answers.join('\n'), WORDS)).toEqual([]);
  });

  it('are in no record of an error, and in no reason that operators read', async () => {
    const errors = await rowsOf('SELECT * FROM error_logs');
    expect(errors).toContain('Duplicate entry');
    expect(findLeaks(errors, WORDS)).toEqual([]);
    const exceptions = await rowsOf('SELECT * FROM exceptions');
    expect(exceptions).toContain('order_conflict');
    expect(findLeaks(exceptions, WORDS)).toEqual([]);
  });

  // The amount comes from the mini program as it is: its users can write there whatever they like.
  it('are in no log line when they stand where numbers and ids belong', () => {
    expect(findLeaks(backend.output(), [MISPLACED])).toEqual([]);
  });

  it('are not stored where nothing needs them', async () => {
    expect(spoolBytes).toContain(CANARY.openid); // or the files were not read at all
    expect(findLeaks(spoolBytes, NEVER_STORED)).toEqual([]);
    const messages = await rowsOf('SELECT * FROM inbox_messages');
    expect(messages).toContain(CANARY.openid);
    expect(findLeaks(messages, NEVER_STORED)).toEqual([]);
  });
});
