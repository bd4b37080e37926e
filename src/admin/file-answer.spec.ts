import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { describe, expect, it } from 'vitest';
import { sendFile } from './file-answer.js';

describe('sendFile', () => {
  // Prevents an export that nobody reads from holding its snapshot, and one of the few places for exports, for half an hour.
  it('lets go of a file that cannot be sent', async () => {
    const content = Readable.from(['a']);
    const reply = {} as FastifyReply;
    await expect(sendFile(reply, { fileName: 'a"b.csv', format: 'csv', content })).rejects.toThrow(
      'file name',
    );
    expect(content.destroyed).toBe(true);
  });
});
