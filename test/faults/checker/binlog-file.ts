import { createReadStream } from 'node:fs';
import { readBinlog } from './binlog.ts';
import type { BinlogSource } from './binlog.ts';
import type { RowChange } from './evidence.ts';

export async function readBinlogFile(file: string, source: BinlogSource): Promise<readonly RowChange[]> {
  return readBinlog(linesOf(file), source);
}

/** Ended by a line feed and nothing else: text of customers has other separators in it, which `node:readline` would cut at. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
