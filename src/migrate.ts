import { loadConfig } from './platform/config/app-config.js';
import { detectServerKind } from './platform/database/database-probe.js';
import { runMigrations } from './platform/database/migrator.js';
import { AppLogger } from './platform/logging/app-logger.js';

/** Migrates and ends: for deployments whose application user may not change the schema (DB_MIGRATE=off). */
const config = loadConfig(process.env);
const logger = new AppLogger(config);
try {
  const serverKind = await detectServerKind(config.database);
  await runMigrations(config.database, { serverKind, logger });
  logger.info('database.schema_is_current', { server: serverKind });
} catch (error) {
  logger.failed('database.migration_failed', error);
  process.exitCode = 1;
}
