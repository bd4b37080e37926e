import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AnswerReader, UnexpectedContent } from './answer-reader.js';
import { decryptResource } from './callback-resource.js';

type AesVector = {
  name: string;
  key_utf8: string;
  nonce: string;
  associated_data: string;
  ciphertext_b64: string;
  plaintext: string;
};

const vectors = JSON.parse(readFileSync(new URL('./published-vectors.json', import.meta.url), 'utf8')) as {
  aes_256_gcm: AesVector[];
  aes_128_gcm: AesVector[];
};
const asResource = (vector: AesVector) =>
  AnswerReader.ofJson(
    Buffer.from(
      JSON.stringify({
        algorithm: 'AEAD_AES_256_GCM',
        ciphertext: vector.ciphertext_b64,
        nonce: vector.nonce,
        associated_data: vector.associated_data,
      }),
    ),
  );
const secret = (text: string) => createSecretKey(Buffer.from(text, 'utf8'));

describe('decryptResource', () => {
  it.each(vectors.aes_256_gcm)('opens the published resource $name', (vector) => {
    const opened = decryptResource(asResource(vector), secret(vector.key_utf8));
    expect(opened.toString('utf8')).toBe(vector.plaintext);
  });

  // Some tools choose AES-128 when the key has 16 bytes: then a weak key goes unnoticed.
  it.each(vectors.aes_128_gcm)('refuses the published AES-128 resource $name', (vector) => {
    expect(() => decryptResource(asResource(vector), secret(vector.key_utf8))).toThrow(UnexpectedContent);
  });

  it('refuses a changed ciphertext, tag, nonce or associated data', () => {
    const [vector] = vectors.aes_256_gcm;
    if (!vector) throw new Error('the published vectors are not complete');
    const key = secret(vector.key_utf8);
    const sealed = Buffer.from(vector.ciphertext_b64, 'base64');
    const flipped = (at: number) => {
      const copy = Buffer.from(sealed);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return { ...vector, ciphertext_b64: copy.toString('base64') };
    };
    const changed = [
      flipped(0),
      flipped(sealed.length - 1),
      { ...vector, nonce: 'another-one-' },
      { ...vector, associated_data: '' },
      { ...vector, ciphertext_b64: sealed.subarray(0, 15).toString('base64') },
    ];
    for (const one of changed) expect(() => decryptResource(asResource(one), key)).toThrow(UnexpectedContent);
  });
});
