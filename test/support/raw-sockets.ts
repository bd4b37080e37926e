import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** One connection, as a client that keeps to no rules has it. */
export type RawSocket = {
  readonly socket: Socket;
  /** Everything that came back so far. */
  heard(): string;
  /** When the other side closed it: milliseconds since it was opened. */
  readonly closedAfterMs: Promise<number>;
  isOpen(): boolean;
};

export function openRaw(url: string, firstBytes = ''): RawSocket {
  const { hostname, port } = new URL(url);
  const startedMs = performance.now();
  const socket = connect(Number(port), hostname, () => {
    if (firstBytes) socket.write(firstBytes);
  });
  let heard = '';
  let isOpen = true;
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  // A reset is one of the ways to be closed.
  socket.on('error', () => undefined);
  const closedAfterMs = new Promise<number>((resolve) =>
    socket.on('close', () => {
      isOpen = false;
      resolve(performance.now() - startedMs);
    }),
  );
  return { socket, heard: () => heard, closedAfterMs, isOpen: () => isOpen };
}
