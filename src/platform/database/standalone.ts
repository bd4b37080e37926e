import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/app-config.js';
import { dataSourceOptions } from './database-options.js';
import { UnitOfWork } from './unit-of-work.js';

/** The database without the application around it, for command-line tools: no jobs, no migrations. Close it. */
export async function openUnitOfWork(
  config: DatabaseConfig,
): Promise<{ readonly unitOfWork: UnitOfWork; readonly close: () => Promise<void> }> {
  const dataSource = new DataSource(dataSourceOptions(config));
  await dataSource.initialize();
  return { unitOfWork: new UnitOfWork(dataSource), close: () => dataSource.destroy() };
}
