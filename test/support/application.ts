import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { AppModule } from '../../src/app.module.js';
import { AppConfig, loadConfig } from '../../src/platform/config/app-config.js';
import { DatabaseAvailability } from '../../src/platform/database/database-availability.js';
import { createHttpAdapter, setUpHttp } from '../../src/platform/http/http-server.js';
import { AppLogger } from '../../src/platform/logging/app-logger.js';
import { Clock } from '../../src/shared/clock.js';
import type { TestDatabase } from './database.js';
import { INTERNAL_SECRET } from './secrets.ts';
import { eventually } from './until.ts';

export type TestApplication = {
  app: NestFastifyApplication;
  config: AppConfig;
  spoolDir: string;
  /** A POST as the cloud functions send it. */
  post(path: 'order-created' | 'notify', body: unknown): supertest.Test;
  http(): ReturnType<typeof supertest>;
  whenAvailable(): Promise<void>;
  stop(): Promise<void>;
};

/** One replica of the whole application in this process, with a spool of its own. */
export async function startApplication(
  database: TestDatabase,
  env: Record<string, string> = {},
  instead: { clock?: Clock; logger?: (config: AppConfig) => AppLogger } = {},
): Promise<TestApplication> {
  const spoolDir = env.SPOOL_DIR ?? mkdtempSync(join(tmpdir(), 'wxpay-spool-'));
  const config = loadConfig({
    ...database.env,
    INTERNAL_API_SECRET: INTERNAL_SECRET,
    LOG_LEVEL: 'silent',
    SPOOL_DIR: spoolDir,
    ...env,
  });
  const builder = Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(AppConfig)
    .useValue(config);
  if (instead.clock) builder.overrideProvider(Clock).useValue(instead.clock);
  if (instead.logger) builder.overrideProvider(AppLogger).useValue(instead.logger(config));
  const module = await builder.compile();
  const app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(config.http), {
    bodyParser: false,
    logger: module.get(AppLogger),
  });
  setUpHttp(app);
  await app.init();
  await app.listen(0, '127.0.0.1');
  const http = () => supertest(app.getHttpServer());
  return {
    app,
    config,
    spoolDir,
    http,
    post: (path, body) =>
      http()
        .post(`/api/payment/internal/${path}`)
        .set('X-Internal-Secret', INTERNAL_SECRET)
        .send(body as object),
    whenAvailable: () =>
      eventually(() => {
        if (!app.get(DatabaseAvailability).isAvailable) throw new Error('the database is not available yet');
      }),
    async stop() {
      await app.close();
      rmSync(spoolDir, { recursive: true, force: true });
    },
  };
}
