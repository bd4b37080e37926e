import { Global, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobLeasesRepository } from './job-leases.repository.js';
import { JobLease } from './job-lease.entity.js';
import { JobRunner } from './job-runner.js';

@Global()
@Module({
  imports: [ScheduleModule.forRoot(), TypeOrmModule.forFeature([JobLease])],
  providers: [JobLeasesRepository, JobRunner],
  exports: [JobRunner, JobLeasesRepository],
})
export class JobsModule {}
