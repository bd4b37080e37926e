import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AppConfig } from '../config/app-config.js';
import { DatabaseAvailability } from './database-availability.js';
import { DatabaseMonitor } from './database-monitor.js';
import { dataSourceOptions } from './database-options.js';
import { SnapshotReader } from './snapshot-reader.js';
import { UnitOfWork } from './unit-of-work.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [AppConfig],
      useFactory: (config: AppConfig) => ({
        ...dataSourceOptions(config.database),
        autoLoadEntities: true,
        // The monitor connects in the background: the boot must not wait for MySQL.
        manualInitialization: true,
      }),
    }),
  ],
  providers: [DatabaseAvailability, DatabaseMonitor, UnitOfWork, SnapshotReader],
  exports: [DatabaseAvailability, UnitOfWork, SnapshotReader],
})
export class DatabaseModule {}
