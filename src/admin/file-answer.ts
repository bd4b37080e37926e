import type { Readable } from 'node:stream';
import { applyDecorators } from '@nestjs/common';
import { ApiProduces, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../shared/domain-error.js';

/** What a file is called is made by this backend alone, so nothing in it can end the header. */
const FILE_NAME_PATTERN = /^[0-9A-Za-z.-]{1,100}$/;

const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;

export function AnswersFile(about: string): MethodDecorator {
  return applyDecorators(
    ApiProduces(...Object.values(CONTENT_TYPES)),
    ApiResponse({ status: 200, description: about, schema: { type: 'string', format: 'binary' } }),
  );
}

/** For a HEAD request Fastify would run the whole export and throw it away. */
export function refuseHead({ method }: FastifyRequest): void {
  if (method === 'HEAD') throw new DomainError('invalid_request', 'invalid', 'Ask for a file with GET.');
}

/**
 * Fastify itself sends the stream: when it breaks in the middle the connection is cut, so that the client sees an
 * error and not a shorter file; and when the client goes the stream is destroyed.
 */
export async function sendFile(
  reply: FastifyReply,
  file: {
    readonly fileName: string;
    readonly format: keyof typeof CONTENT_TYPES;
    readonly content: Readable;
  },
): Promise<void> {
  if (!FILE_NAME_PATTERN.test(file.fileName)) {
    // What it holds open would wait for a reader that never comes.
    file.content.destroy();
    throw new Error('a file name must be of harmless characters');
  }
  await reply
    .header('Content-Type', CONTENT_TYPES[file.format])
    .header('Content-Disposition', `attachment; filename="${file.fileName}"`)
    .send(file.content);
}
