import type { FastifyInstance } from 'fastify';

/** How often connections that have become idle are looked for while the server closes. */
const IDLE_CHECK_MS = 50;

/**
 * Ends keep-alive connections when the server closes: those that are busy then are told to close with their
 * answer, and those whose caller does not are closed once they are idle. Node by itself closes only the idle ones
 * of the first moment, and would wait for the others as long as their callers keep them.
 */
export function closeGracefully(server: FastifyInstance): void {
  let closing = false;
  server.addHook('preClose', (done) => {
    closing = true;
    const timer = setInterval(() => server.server.closeIdleConnections(), IDLE_CHECK_MS);
    timer.unref();
    server.server.once('close', () => clearInterval(timer));
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) void reply.header('Connection', 'close');
    done(null, payload);
  });
}
