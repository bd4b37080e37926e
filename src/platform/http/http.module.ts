import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorEnvelopeFilter } from './error-envelope.filter.js';
import { RouteTable } from './route-table.js';

@Module({ providers: [RouteTable, { provide: APP_FILTER, useClass: ErrorEnvelopeFilter }] })
export class HttpModule {}
