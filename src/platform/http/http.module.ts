import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorEnvelopeFilter } from './error-envelope.filter.js';

@Module({ providers: [{ provide: APP_FILTER, useClass: ErrorEnvelopeFilter }] })
export class HttpModule {}
