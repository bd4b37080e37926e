import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const POLL_MS = 200;
const CHUNK_BYTES = 64 * 1024;

/**
 * Hands over each line that is added to a file from now on. The application writes to the file and not to a pipe,
 * so that it neither waits for this process nor dies with it.
 * @returns a function that reads what is left and ends it
 */
export function followLines(file, onLine) {
  const descriptor = openSync(file, 'r');
  const decoder = new StringDecoder('utf8');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = fstatSync(descriptor).size;
  let unfinished = '';
  const readOn = () => {
    for (let count = CHUNK_BYTES; count === CHUNK_BYTES;) {
      count = readSync(descriptor, chunk, 0, CHUNK_BYTES, position);
      position += count;
      const lines = (unfinished + decoder.write(chunk.subarray(0, count))).split('\n');
      unfinished = lines.pop();
      for (const line of lines) onLine(line);
    }
  };
  const timer = setInterval(readOn, POLL_MS);
  return () => {
    clearInterval(timer);
    readOn();
    if (unfinished) onLine(unfinished);
    closeSync(descriptor);
  };
}
