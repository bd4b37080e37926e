import { readFileSync, writeFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type supertest from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../src/admin/permissions.js';
import { AppModule } from '../../src/app.module.js';
import { AppConfig, loadConfig } from '../../src/platform/config/app-config.js';
import { describeApi } from '../../src/platform/http/api-docs.js';
import { createHttpAdapter } from '../../src/platform/http/http-server.js';
import { expectToMatchOpenApi } from '../support/openapi.js';

const FILE = new URL('../../docs/openapi.json', import.meta.url);

type Operation = {
  summary?: string;
  security?: unknown[];
  responses: Record<string, unknown>;
  'x-permission'?: string;
};

let text: string;
let operations: [string, Operation][];

/** Put together and not started: nothing listens, and no database is asked. */
beforeAll(async () => {
  const config = loadConfig({
    DB_HOST: '127.0.0.1',
    DB_USER: 'nobody',
    DB_NAME: 'none',
    INTERNAL_API_SECRET: 'the-secret-of-the-tests-only',
    LOG_LEVEL: 'silent',
  });
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(AppConfig)
    .useValue(config)
    .compile();
  const app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(config.http));
  const document = describeApi(app);
  text = `${JSON.stringify(document, null, 2)}\n`;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});

describe('docs/openapi.json', () => {
  // A document that differs from the code is believed by those who write the callers.
  it('is what the code says (UPDATE_DOCS=1 npm run unit)', () => {
    if (process.env.UPDATE_DOCS) writeFileSync(FILE, text);
    expect(readFileSync(FILE, 'utf8')).toBe(text);
  });

  it('describes every operation, its answers, and who may', () => {
    expect(operations.length).toBeGreaterThan(10);
    for (const [name, operation] of operations) {
      expect([name, operation.summary?.length ?? 0]).not.toEqual([name, 0]);
      const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      expect([name, successes.length]).toEqual([name, 1]);
      if (!name.includes('/api/admin')) continue;
      expect([name, operation.security]).toEqual([name, [{ adminToken: [] }]]);
      expect(PERMISSIONS).toContain(operation['x-permission']);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
    }
  });

  it('refers to nothing that is not in it', () => {
    const document = JSON.parse(text) as Record<string, unknown>;
    const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(references.length).toBeGreaterThan(10);
    for (const path of references) {
      const target = path
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      expect([path, typeof target]).toEqual([path, 'object']);
    }
  });
});

// The tests that hold answers against the document prove nothing unless this notices.
describe('expectToMatchOpenApi', () => {
  const answer = (body: object, status = 200, path = '/health/live') =>
    ({
      request: { method: 'GET', url: `http://127.0.0.1:1${path}` },
      status,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body,
      text: JSON.stringify(body),
    }) as unknown as supertest.Response;

  it('takes what is described, and notices any difference', () => {
    expectToMatchOpenApi(answer({ status: 'live' }));
    expect(() => expectToMatchOpenApi(answer({ status: 'live', openid: 'x' }))).toThrow('additional');
    expect(() => expectToMatchOpenApi(answer({}))).toThrow('required');
    expect(() => expectToMatchOpenApi(answer({ status: 'dead' }))).toThrow('allowed');
    expect(() => expectToMatchOpenApi(answer({ status: 'live' }, 201))).toThrow('no such answer');
    expect(() => expectToMatchOpenApi(answer({ status: 'live' }, 200, '/health/x'))).toThrow('no such path');
    const price = { id: '1', amountFen: 1.5 };
    const list = answer({ success: true, data: [price], nextCursor: null }, 200, '/api/admin/prices');
    expect(() => expectToMatchOpenApi(list)).toThrow('integer');
    expect(() => expectToMatchOpenApi(answer({ success: false }, 503, '/api/admin/prices'))).toThrow(
      'retry-after',
    );
  });
});
