import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@hey-api/openapi-ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertToken } from '../support/admin.js';
import { HeldPayments } from '../support/held-payments.js';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'docs', 'examples', 'admin-client');

const run = promisify(execFile);

/** Inside the checkout, where the packages are found. */
let folder: string;
let payments: HeldPayments;

beforeAll(async () => {
  mkdirSync(join(ROOT, '.data'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.data', 'admin-client-'));
  cpSync(EXAMPLE, folder, { recursive: true });
  payments = await HeldPayments.start();
});
afterAll(async () => {
  await payments.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As an author of an admin client works: generate, compile, run. */
describe('a client generated from docs/openapi.json', () => {
  it('is typed well enough for the example to compile', async () => {
    await createClient({
      input: join(ROOT, 'docs', 'openapi.json'),
      output: { path: join(folder, 'client'), module: { extension: '.ts' } },
      plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
      logs: { level: 'silent' },
    });
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', folder]);
  });

  it('releases a held order, refunds half of another, schedules a price and exports the month', async () => {
    const { shop } = payments;
    const held = await payments.held();
    const paid = await shop.paidOrder({ yuan: '29.90' });
    const operator = await insertToken(shop.database, 'operator', { name: 'lin' });
    const administrator = await insertToken(shop.database, 'admin', { name: 'mei' });
    const { stdout } = await run(process.execPath, [join(folder, 'day.ts'), held.outTradeNo, paid], {
      env: {
        ADMIN_URL: await shop.backend.application.app.getUrl(),
        ADMIN_TOKEN: operator.token,
        ADMIN_ADMIN_TOKEN: administrator.token,
      },
    });
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^held: .+/),
      'it may be: grant, refund, dismiss',
      'released: granted',
      'refund: 14.95 of 29.90 yuan',
      'scheduled: 39.90 yuan',
      expect.stringMatching(/^exported: 合计：\d+ 笔$/),
    ]);
    const state = await shop.order(held.outTradeNo);
    expect(state.grants).toMatchObject([{ package_type: 'basic', granted_by: 'admin:lin' }]);
    const refunds = await shop.database.query(
      'SELECT refund_fen, requested_by FROM refund_settlements WHERE out_trade_no = ?',
      [paid],
    );
    expect(refunds).toMatchObject([{ requested_by: 'admin:lin' }]);
    expect(Number(refunds[0]?.refund_fen)).toBe(1495);
    const prices = await shop.database.query(
      "SELECT amount_fen FROM price_configs WHERE package_type = 'premium' AND effective_at > NOW(3) + INTERVAL 23 HOUR",
    );
    expect(prices).toMatchObject([{ amount_fen: 3990 }]);
  });
});
