import { Module } from '@nestjs/common';
import { ExportsRepository } from './exports.repository.js';
import { ExportPatience, ExportsService } from './exports.service.js';
import { StatisticsRepository } from './statistics.repository.js';
import { StatisticsService } from './statistics.service.js';

/** Reads across the tables of all features, and changes none. */
@Module({
  providers: [ExportsRepository, ExportPatience, ExportsService, StatisticsRepository, StatisticsService],
  exports: [ExportsService, StatisticsService],
})
export class ReportsModule {}
