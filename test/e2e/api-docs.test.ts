import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { killBackends, startBackend } from '../support/process.js';

const COMMITTED = new URL('../../docs/openapi.json', import.meta.url);

let database: TestDatabase;
let spoolDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-docs-'));
});

afterAll(async () => {
  await killBackends();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

describe('the API documents of the built backend', () => {
  // Prevents a compiler setting from emptying the schemas where no test of the sources can see it.
  it('are the ones that are committed, and a page to read them, also without a database', async () => {
    const backend = await startBackend(database, { SPOOL_DIR: spoolDir, DB_PORT: '1' });
    const json = await backend.fetch('/docs-json');
    expect(json.status).toBe(200);
    expect(JSON.parse(json.text)).toEqual(JSON.parse(readFileSync(COMMITTED, 'utf8')));
    for (const path of [
      '/docs',
      '/docs/swagger-ui-init.js',
      '/docs/swagger-ui.css',
      '/docs/swagger-ui-bundle.js',
    ]) {
      expect([path, (await backend.fetch(path)).status]).toEqual([path, 200]);
    }
    await backend.end('SIGTERM');
  });

  it('are not served with API_DOCS=off', async () => {
    const backend = await startBackend(database, { SPOOL_DIR: spoolDir, DB_PORT: '1', API_DOCS: 'off' });
    for (const path of ['/docs', '/docs-json', '/docs/swagger-ui-bundle.js']) {
      expect([path, (await backend.fetch(path)).status]).toEqual([path, 404]);
    }
    await backend.end('SIGTERM');
  });
});
