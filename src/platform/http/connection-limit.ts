import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { AppLogger } from '../logging/app-logger.js';

const TOLD_EVERY_MS = 60_000;

/**
 * Keeps open connections at `connectionsMax`. Beyond it the one goes that has waited longest for its client: to send its
 * request, the rest of it, the next one, or to take its answer. A request that is here as a whole is never cut, and a
 * caller that sends its request right away is served while any number of silent connections come in.
 */
export function limitConnections(server: FastifyInstance, connectionsMax: number, logger: AppLogger): void {
  const open = new Set<Socket>();
  /** Those whose client is to do something, in the order in which they began to wait. */
  const waiting = new Set<Socket>();
  const tellShed = countedLine((shed) => logger.warned('http.connections_shed', { shed, connectionsMax }));

  const forget = (socket: Socket) => {
    open.delete(socket);
    waiting.delete(socket);
  };
  server.server.on('connection', (socket: Socket) => {
    open.add(socket);
    waiting.add(socket);
    socket.once('close', () => forget(socket));
    // With every other one at work it is the new one itself.
    const [longest] = open.size > connectionsMax ? waiting : [];
    if (!longest) return;
    forget(longest);
    longest.destroy();
    tellShed();
  });
  // The whole request is here.
  server.addHook('preValidation', (request, _reply, done) => {
    waiting.delete(request.raw.socket);
    done();
  });
  server.addHook('onSend', (request, _reply, payload, done) => {
    const { socket } = request.raw;
    // Last in the order again, also when its body was never read.
    waiting.delete(socket);
    if (open.has(socket)) waiting.add(socket);
    done(null, payload);
  });
}

/** One line for all that happens within a minute. */
function countedLine(tell: (count: number) => void): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > 1) return;
    setTimeout(() => {
      tell(count);
      count = 0;
    }, TOLD_EVERY_MS).unref();
  };
}
