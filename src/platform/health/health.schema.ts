import type { SchemaObject } from '@nestjs/swagger';

const count = (description: string): SchemaObject => ({ type: 'integer', minimum: 0, description });

export const LIVE_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['live'] } },
};

/** Of ReadinessReport. */
export const READINESS_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status', 'database', 'spool', 'inbox', 'log'],
  properties: {
    status: {
      type: 'string',
      enum: ['ready', 'degraded', 'unavailable', 'stopping'],
      description: 'Degraded is ready: with MySQL away, messages go to the local disk.',
    },
    database: {
      type: 'object',
      required: ['state', 'since', 'reason'],
      properties: {
        state: { type: 'string', enum: ['connecting', 'available', 'away'] },
        since: { type: 'string', format: 'date-time' },
        reason: { type: 'string', nullable: true },
      },
    },
    spool: {
      type: 'object',
      required: ['state'],
      properties: {
        state: { type: 'string', enum: ['open', 'failing'] },
        depth: count('Messages that wait on the local disk for MySQL.'),
        setAside: count('Messages that cannot be moved: look at the exceptions and the log.'),
        suspectFiles: count('Files that were replaced after a disk error.'),
        oldestAgeSeconds: count('Seconds.'),
      },
    },
    inbox: {
      type: 'object',
      nullable: true,
      description: 'Null while MySQL is away.',
      required: ['pending', 'quarantined', 'oldestAgeSeconds'],
      properties: {
        pending: count('Messages that wait for their effect.'),
        quarantined: count('Messages that wait for an operator.'),
        oldestAgeSeconds: count('Seconds.'),
      },
    },
    log: {
      type: 'object',
      required: ['linesDropped'],
      properties: { linesDropped: count('Lines that nobody took from standard output.') },
    },
  },
};
