import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UnexpectedContent } from './answer-reader.js';

/** Some 200,000 payments a day; more would not fit beside the work this process has to do. */
export const BILL_BYTES_MAX = 67_108_864;

const gunzipped = promisify(gunzip);

/**
 * The bill's own bytes. The download is not signed: the hash from the signed answer proves it, and is over the
 * uncompressed bytes. @throws UnexpectedContent
 */
export async function unpackBill(file: Buffer, sha1: string): Promise<Buffer> {
  const bill = isGzip(file) ? await decompress(file) : file;
  if (createHash('sha1').update(bill).digest('hex') === sha1) return bill;
  throw new UnexpectedContent('the bill', 'the file whose hash was told');
}

/** Told by the bytes and not by what was asked for: a bill in text begins with a byte order mark or a Chinese character. */
function isGzip(file: Buffer): boolean {
  return file[0] === 0x1f && file[1] === 0x8b;
}

async function decompress(file: Buffer): Promise<Buffer> {
  try {
    return await gunzipped(file, { maxOutputLength: BILL_BYTES_MAX });
  } catch {
    // zlib tells only that the data or the length is wrong; both make the file unusable.
    throw new UnexpectedContent('the bill', 'a gzip file of bearable size');
  }
}
