import { Module } from '@nestjs/common';
import { ExportsRepository } from './exports.repository.js';
import { ExportPatience, ExportsService } from './exports.service.js';
import { RecordsRepository } from './records.repository.js';
import { RecordsService } from './records.service.js';
import { StatisticsRepository } from './statistics.repository.js';
import { StatisticsService } from './statistics.service.js';

/** Reads across the tables of all features, and changes none. */
@Module({
  providers: [
    ExportsRepository,
    ExportPatience,
    ExportsService,
    RecordsRepository,
    RecordsService,
    StatisticsRepository,
    StatisticsService,
  ],
  exports: [ExportsService, StatisticsService, RecordsService],
})
export class ReportsModule {}
