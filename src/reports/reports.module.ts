import { Module } from '@nestjs/common';
import { ExportsRepository } from './exports.repository.js';
import { ExportPatience, ExportsService } from './exports.service.js';

/** Reads across the tables of all features, and changes none. */
@Module({
  providers: [ExportsRepository, ExportPatience, ExportsService],
  exports: [ExportsService],
})
export class ReportsModule {}
