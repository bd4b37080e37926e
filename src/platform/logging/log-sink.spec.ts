import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogSink } from './log-sink.js';

const LINE = `${'x'.repeat(1_023)}\n`;
const MANY_LINES = 10_000;
const WAITING_LINES_MAX = 1_088; // a megabyte, and the lines of a turn that passed it

const outputThat = (write: (done: (error?: Error) => void) => void) =>
  new Writable({ write: (_chunk, _encoding, done) => write(done), autoDestroy: false, emitClose: false });

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('LogSink', () => {
  // Prevents a memory that grows with every line which nobody reads.
  it('keeps a megabyte for a reader that does not read, and counts what it drops', () => {
    const output = outputThat(() => undefined);
    const sink = new LogSink(output as unknown as NodeJS.WriteStream);
    for (let lines = 0; lines < MANY_LINES; lines += 1) sink.write(LINE);
    expect(output.writableLength).toBe(WAITING_LINES_MAX * LINE.length);
    expect(sink.linesDropped).toBe(MANY_LINES - WAITING_LINES_MAX);
  });

  it('writes the lines of a turn at once, and in their order', async () => {
    const written: string[] = [];
    const output = new Writable({ write: (chunk, _encoding, done) => (written.push(String(chunk)), done()) });
    const sink = new LogSink(output as unknown as NodeJS.WriteStream);
    for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line);
    await settle();
    expect(written).toEqual(['a\nb\nc\n']);
    sink.write('the last one\n');
    sink.flush();
    expect(written.at(-1)).toBe('the last one\n');
  });

  // Prevents the end of the process by an 'error' event that nobody listens to.
  it('counts a line that could not be written, and throws nothing', async () => {
    const sink = new LogSink(
      outputThat((done) => done(new Error('write EPIPE'))) as unknown as NodeJS.WriteStream,
    );
    sink.write(LINE);
    await settle();
    expect(sink.linesDropped).toBe(1);
  });
});
