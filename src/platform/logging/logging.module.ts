import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AppLogger } from './app-logger.js';
import { ErrorLog } from './error-log.entity.js';
import { ErrorLogService } from './error-log.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([ErrorLog])],
  providers: [AppLogger, ErrorLogService],
  exports: [AppLogger, ErrorLogService],
})
export class LoggingModule {}
