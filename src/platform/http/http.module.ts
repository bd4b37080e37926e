import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Admission } from './admission.js';
import { ErrorEnvelopeFilter } from './error-envelope.filter.js';
import { RefusedTries } from './refused-tries.js';
import { RouteTable } from './route-table.js';

@Global()
@Module({
  providers: [Admission, RouteTable, RefusedTries, { provide: APP_FILTER, useClass: ErrorEnvelopeFilter }],
  exports: [Admission, RefusedTries],
})
export class HttpModule {}
