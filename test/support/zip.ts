import { crc32, inflateRawSync } from 'node:zlib';

const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;

/** Reads an archive as other programs do: from the directory at its end. Checks sizes and sums. */
export function unzip(archive: Buffer): Map<string, string> {
  const end = archive.length - 22;
  if (archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('no directory at the end');
  const files = new Map<string, string>();
  let at = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (archive.readUInt32LE(at) !== CENTRAL_HEADER) throw new Error('no entry in the directory');
    const [crc, packedBytes, bytes] = [16, 20, 24].map((offset) => archive.readUInt32LE(at + offset));
    const nameBytes = archive.readUInt16LE(at + 28);
    const offset = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + nameBytes);
    const start = offset + 30 + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
    const content = inflateRawSync(archive.subarray(start, start + (packedBytes ?? 0)));
    if (content.length !== bytes || crc32(content) !== crc) throw new Error(`${name} is damaged`);
    files.set(name, content.toString('utf8'));
    at += 46 + nameBytes;
  }
  return files;
}

export type ReadCell = { readonly type: 'number' | 'string'; readonly text: string };

/** The cells of a worksheet by their address; fails on XML that is not well-formed. */
export function readWorksheet(xml: string): Map<string, ReadCell> {
  checkWellFormed(xml);
  const cells = new Map<string, ReadCell>();
  const pattern =
    /<c r="([A-Z]+\d+)"[^>]*?(?: t="(\w+)")?>(?:<v>([^<]*)<\/v>|<is><t[^>]*>([^<]*)<\/t><\/is>)<\/c>/g;
  for (const [, at = '', type, number, text] of xml.matchAll(pattern)) {
    cells.set(at, {
      type: type === 'inlineStr' ? 'string' : 'number',
      text: unescaped(number ?? text ?? ''),
    });
  }
  return cells;
}

export function checkWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [tag, slash, name = '', rest = ''] of xml.matchAll(/<([/?]?)([\w:]+)((?:"[^"]*"|[^">])*)>/g)) {
    if (slash === '?' || rest.endsWith('/')) continue;
    if (slash !== '/') open.push(name);
    else if (open.pop() !== name) throw new Error(`${tag} closes another element`);
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} is not closed`);
  const between = xml.replace(/<[^>]*>/g, '');
  if (/[<>]|&(?!(amp|lt|gt|quot|#\d+);)/.test(between)) throw new Error('there is unescaped text');
}

function unescaped(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}
