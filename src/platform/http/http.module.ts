import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorEnvelopeFilter } from './error-envelope.filter.js';
import { RefusedTries } from './refused-tries.js';
import { RouteTable } from './route-table.js';

@Global()
@Module({
  providers: [RouteTable, RefusedTries, { provide: APP_FILTER, useClass: ErrorEnvelopeFilter }],
  exports: [RefusedTries],
})
export class HttpModule {}
