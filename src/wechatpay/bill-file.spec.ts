import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UnexpectedContent } from './answer-reader.js';
import { BILL_BYTES_MAX, unpackBill } from './bill-file.js';

const BILL = Buffer.from('\uFEFF交易时间,公众账号ID\r\n`2026-01-27 10:00:00,`wx1\r\n', 'utf8');
const sha1 = createHash('sha1').update(BILL).digest('hex');

describe('unpackBill', () => {
  it('gives the exact bytes, the byte order mark included, packed or not', async () => {
    expect((await unpackBill(BILL, sha1)).equals(BILL)).toBe(true);
    expect((await unpackBill(gzipSync(BILL), sha1)).equals(BILL)).toBe(true);
  });

  it('refuses a bill that is not the one whose hash was told', async () => {
    for (const file of [
      BILL.subarray(3),
      BILL.subarray(0, -2),
      gzipSync(BILL.subarray(3)),
      Buffer.alloc(0),
    ]) {
      await expect(unpackBill(file, sha1)).rejects.toThrow(UnexpectedContent);
    }
  });

  it('refuses a broken gzip file, and one that grows beyond measure', async () => {
    await expect(unpackBill(gzipSync(BILL).subarray(0, -4), sha1)).rejects.toThrow(UnexpectedContent);
    const bomb = gzipSync(Buffer.alloc(BILL_BYTES_MAX + 1));
    await expect(unpackBill(bomb, sha1)).rejects.toThrow('bearable size');
  });
});
