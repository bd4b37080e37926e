import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlainUser, createTestDatabase } from '../support/database.js';
import type { PlainUser, TestDatabase } from '../support/database.js';
import { findLeaks } from '../support/leaks.js';
import { killBackends, startBackend } from '../support/process.js';
import { eventually } from '../support/until.ts';

const SECRET = 'K9canarySecret9d';
const PASSWORD = 'K9canaryPassword1f';

let database: TestDatabase;
let user: PlainUser;
let spoolDir: string;

beforeEach(async () => {
  database = await createTestDatabase();
  user = await createPlainUser(database, PASSWORD);
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-boot-'));
});

afterEach(async () => {
  await killBackends();
  await user.drop();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

const start = (env: Record<string, string>) =>
  startBackend(database, { ...user.env, SPOOL_DIR: spoolDir, LOG_LEVEL: 'debug', ...env });

// Prevents a password in the console of whoever mends a deployment, and in the screenshot sent around.
describe('settings', () => {
  it.each([
    ['a secret that is too short', { INTERNAL_API_SECRET: SECRET.slice(0, 15) }, SECRET.slice(0, 15)],
    ['a port that is none', { INTERNAL_API_SECRET: SECRET, DB_PORT: PASSWORD }, PASSWORD],
    ['a price that is none', { INTERNAL_API_SECRET: SECRET, FALLBACK_PRICE_BASIC: SECRET }, SECRET],
  ])('are not printed by a start that fails for %s', async (_, env, word) => {
    const told = await start(env).then(
      () => 'the backend started',
      (error: Error) => error.message,
    );
    expect(told).toContain('The configuration cannot be used');
    expect(findLeaks(told, [SECRET, PASSWORD, word])).toEqual([]);
  });

  it('are not printed when the database refuses the password', async () => {
    const backend = await start({ INTERNAL_API_SECRET: SECRET, DB_PASSWORD: `${PASSWORD}-wrong` });
    await eventually(() => expect(backend.output()).toContain('ER_ACCESS_DENIED_ERROR'));
    const { text } = await backend.fetch('/health/ready');
    await backend.end('SIGTERM');
    expect(findLeaks(`${backend.output()}\n${text}`, [SECRET, PASSWORD])).toEqual([]);
  });
});

// A scan that cannot find anything would pass for ever.
describe('the scan', () => {
  const value = `o+/"${SECRET}"=`;

  it.each([
    ['as it is', `{"secret":"${value}"}`],
    ['in JSON within JSON', JSON.stringify(JSON.stringify({ secret: value }))],
    ['in an address', `/x?secret=${encodeURIComponent(value)}`],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64, one byte on', Buffer.from(`x${value}`).toString('base64')],
    ['in base64 for addresses, two bytes on', Buffer.from(`xx${value}`).toString('base64url')],
    ['in hexadecimal', Buffer.from(value).toString('hex')],
  ])('finds a word %s', (_, text) => {
    expect(findLeaks(`before\n${text}\nafter`, [SECRET])).not.toEqual([]);
  });

  it('finds nothing where nothing is', () => {
    expect(findLeaks('a quiet line\n{"secret":"***"}', [SECRET, PASSWORD])).toEqual([]);
  });
});
