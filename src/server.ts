import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { loadConfig } from './platform/config/app-config.js';
import type { AppConfig } from './platform/config/app-config.js';
import type { GracefulClose } from './platform/http/graceful-close.js';
import { createHttpAdapter, setUpHttp } from './platform/http/http-server.js';
import { AppLogger } from './platform/logging/app-logger.js';

/** A stop that takes longer is cut: orchestrators kill without asking soon after. */
const STOP_DEADLINE_MS = 10_000;

function configOrExit(): AppConfig {
  try {
    return loadConfig(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(78); // EX_CONFIG of sysexits, as in main.ts: starting again will not help
  }
}

const config = configOrExit();
const logger = new AppLogger(config);

// The last resort: what nobody caught is told, and the process goes on serving what is durable anyway.
process.on('unhandledRejection', (error) => logger.failed('process.unhandled_rejection', error));
process.on('uncaughtException', (error) => logger.failed('process.uncaught_exception', error));

let closing: GracefulClose | undefined;
let isStopping = false;

async function boot(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, createHttpAdapter(config.http), {
    logger,
    bodyParser: false,
    abortOnError: false,
  });
  if (isStopping) process.exit(0); // it was asked to before it had anything to end in order
  closing = setUpHttp(app);
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  await app.listen(config.http.port, config.http.host);
  logger.info('http.listening', { host: config.http.host, port: config.http.port, role: config.role });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    isStopping = true;
    logger.info('process.stopping', { signal });
    closing?.begin();
    setTimeout(() => {
      logger.warned('process.stop_cut', { afterMs: STOP_DEADLINE_MS });
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
  });
}

try {
  await boot();
} catch (error) {
  logger.failed('process.not_started', error);
  console.error(`The backend did not start: ${(error as Error).message}`);
  process.exit(1);
}
