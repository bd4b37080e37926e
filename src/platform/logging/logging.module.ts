import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AppLogger } from './app-logger.js';
import { ErrorLogRetentionJob } from './error-log-retention.job.js';
import { ErrorLogRetentionService } from './error-log-retention.service.js';
import { ErrorLog } from './error-log.entity.js';
import { ErrorLogService } from './error-log.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ErrorLog])],
  providers: [AppLogger, ErrorLogService, ErrorLogRetentionService, ErrorLogRetentionJob],
  exports: [AppLogger, ErrorLogService],
})
export class LoggingModule {}
