import { Readable, pipeline } from 'node:stream';
import { createDeflateRaw, crc32 } from 'node:zlib';

export type ZipEntry = { readonly name: string; readonly content: AsyncIterable<string> };

type Written = { name: Buffer; crc: number; packedBytes: number; bytes: number; offset: number };

const LOCAL_HEADER = 0x04034b50;
const DATA_DESCRIPTOR = 0x08074b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const VERSION = 20;
/** Sizes follow the data, and names are UTF-8: a stream knows its size last. */
const FLAGS = 0x0808;
const DEFLATED = 8;
/** The 1st of January 1980, the first day of this format: the same rows make the same file. */
const DOS_DATE = 0x0021;
/** Without the 64-bit extension, which not every program reads. */
const BYTES_MAX = 0xffff_ffff;
/** Rows repeat themselves: more effort costs much time and saves little. */
const EFFORT = 1;

/** A zip archive as it is made: nothing of an entry is kept but its size and its sum. */
export async function* toZip(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Buffer, void> {
  const written: Written[] = [];
  let offset = 0;
  for await (const { name, content } of entries) {
    const entry: Written = { name: Buffer.from(name), crc: 0, packedBytes: 0, bytes: 0, offset };
    yield localHeader(entry);
    yield* deflated(content, entry);
    yield dataDescriptor(entry);
    offset += 30 + entry.name.length + entry.packedBytes + 16;
    if (entry.bytes > BYTES_MAX || offset > BYTES_MAX) throw new RangeError('the archive is too large');
    written.push(entry);
  }
  const directory = Buffer.concat(written.map(centralHeader));
  yield Buffer.concat([directory, endOfDirectory(written.length, directory.length, offset)]);
}

/** Counts into `entry` what goes through. */
async function* deflated(content: AsyncIterable<string>, entry: Written): AsyncGenerator<Buffer> {
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const text of content) {
      const bytes = Buffer.from(text);
      entry.crc = crc32(bytes, entry.crc);
      entry.bytes += bytes.length;
      yield bytes;
    }
  }
  const deflate = createDeflateRaw({ level: EFFORT });
  // An error of the content ends the loop below: the pipeline destroys its last part with it.
  pipeline(Readable.from(counted()), deflate, () => undefined);
  for await (const packed of deflate as AsyncIterable<Buffer>) {
    entry.packedBytes += packed.length;
    yield packed;
  }
}

function localHeader({ name }: Written): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(LOCAL_HEADER, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DEFLATED, 8);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

function dataDescriptor({ crc, packedBytes, bytes }: Written): Buffer {
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(DATA_DESCRIPTOR, 0);
  descriptor.writeUInt32LE(crc, 4);
  descriptor.writeUInt32LE(packedBytes, 8);
  descriptor.writeUInt32LE(bytes, 12);
  return descriptor;
}

function centralHeader({ name, crc, packedBytes, bytes, offset }: Written): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(CENTRAL_HEADER, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(VERSION, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DEFLATED, 10);
  header.writeUInt16LE(DOS_DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(packedBytes, 20);
  header.writeUInt32LE(bytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, name]);
}

function endOfDirectory(count: number, directoryBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_OF_DIRECTORY, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}
