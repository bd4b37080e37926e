import { createDecipheriv } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AnswerReader } from './answer-reader.js';

const ALGORITHM = 'AEAD_AES_256_GCM';
const KEY_BYTES = 32;
const TAG_BYTES = 16;

/**
 * Decrypts `resource` with AES-256-GCM. The size of the cipher is ours to say and never follows from the key's length,
 * as it does in some tools: a key of 16 bytes is refused. @throws UnexpectedContent
 */
export function decryptResource(resource: AnswerReader, key: KeyObject): Buffer {
  resource.same('algorithm', ALGORITHM);
  if (key.symmetricKeySize !== KEY_BYTES)
    throw resource.unexpected('algorithm', 'that of the configured key');
  const nonce = Buffer.from(resource.text('nonce'), 'utf8');
  const associatedData = Buffer.from(resource.optionalText('associated_data') ?? '', 'utf8');
  const sealed = Buffer.from(resource.longText('ciphertext'), 'base64');
  if (sealed.length < TAG_BYTES) throw resource.unexpected('ciphertext', 'as long as its tag');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    // Node says only "unable to authenticate data"; which field was wrong cannot be known.
    throw resource.unexpected('ciphertext', 'sealed with the configured key');
  }
}
