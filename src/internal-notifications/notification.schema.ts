import type { SchemaObject } from '@nestjs/swagger';

/** The answer to a message that is kept. */
export function accepted(message: string, more: Record<string, SchemaObject> = {}): SchemaObject {
  return {
    type: 'object',
    required: ['success', 'message', ...Object.keys(more)],
    properties: {
      success: { type: 'boolean', enum: [true] },
      message: { type: 'string', example: message },
      ...more,
    },
  };
}

/** What WeChat Pay gets to read. */
export function callbackAnswer(code: 'SUCCESS' | 'FAIL'): SchemaObject {
  return {
    type: 'object',
    required: ['code', 'message'],
    properties: { code: { type: 'string', enum: [code] }, message: { type: 'string' } },
  };
}

/** The envelope WeChat Pay posts. Its content is encrypted; the signature in the headers covers every byte. */
export const CALLBACK_BODY: SchemaObject = {
  type: 'object',
  required: ['id', 'event_type', 'resource'],
  properties: {
    id: { type: 'string' },
    create_time: { type: 'string', format: 'date-time' },
    event_type: { type: 'string', example: 'TRANSACTION.SUCCESS' },
    resource_type: { type: 'string', example: 'encrypt-resource' },
    summary: { type: 'string' },
    resource: {
      type: 'object',
      required: ['algorithm', 'ciphertext', 'nonce'],
      properties: {
        algorithm: { type: 'string', enum: ['AEAD_AES_256_GCM'] },
        ciphertext: { type: 'string' },
        associated_data: { type: 'string' },
        nonce: { type: 'string' },
        original_type: { type: 'string' },
      },
    },
  },
};
