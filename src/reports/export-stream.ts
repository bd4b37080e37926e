import { Readable } from 'node:stream';

export type Piece = string | Buffer;

/**
 * A stream that makes its next piece only when the one before was taken. `onEnd` runs at once when the reader goes, also
 * while a piece is being waited for, which `Readable.from` would wait for first.
 */
export function streamOf(
  pieces: AsyncGenerator<Piece, void>,
  on: { readonly stalled: () => Error; readonly stalledMsMax: number; readonly end: () => void },
): Readable {
  let timer: NodeJS.Timeout | undefined;
  const stream = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      clearTimeout(timer);
      pieces.next().then(
        ({ done, value }) => {
          if (stream.destroyed) return;
          if (!done) timer = setTimeout(() => stream.destroy(on.stalled()), on.stalledMsMax);
          stream.push(done ? null : value);
        },
        (error: unknown) => stream.destroy(error as Error),
      );
    },
    destroy(error, callback) {
      clearTimeout(timer);
      on.end();
      // It ends when what it waits for has ended; whatever that is, nobody reads it any more.
      pieces.return().catch(() => undefined);
      callback(error);
    },
  });
  return stream;
}
