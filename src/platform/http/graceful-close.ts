import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** How often connections that have become idle are looked for while the server closes. */
const IDLE_CHECK_MS = 50;
/** Nobody asked for so long: whoever sent requests here has noticed, or there is nobody. */
const LULL_MS = 300;
/** From the beginning of the stop. Callers without a balancer never go elsewhere. The rest of what a stop may take is for what is under way. */
const LULL_WITHIN_MS = 4_000;

export type GracefulClose = {
  /** The process is going to stop: jobs may take their time, and callers can go meanwhile. */
  readonly begin: () => void;
};

/**
 * Ends keep-alive connections when the server closes. A connection that is closed under a request on its way fails that
 * request, and no balancer repeats a POST that may have arrived. So the server goes on listening, while `/health/ready`
 * says that it stops and each answer tells its caller to close, until nobody asks any more; then it closes, and ends each
 * connection that is left once that is idle. Node by itself closes only those that are idle at the first moment, and
 * would wait for the others as long as their callers keep them.
 */
export function closeGracefully(server: FastifyInstance): GracefulClose {
  let deadlineMs: number | null = null;
  const begin = () => (deadlineMs ??= performance.now() + LULL_WITHIN_MS);
  let askedAtMs = -Infinity;
  server.addHook('onRequest', (request, _reply, done) => {
    if (!request.url.startsWith('/health/')) askedAtMs = performance.now();
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (deadlineMs !== null) void reply.header('Connection', 'close');
    done(null, payload);
  });
  server.addHook('preClose', async () => {
    const untilMs = begin();
    const lullLeftMs = () => Math.min(askedAtMs + LULL_MS, untilMs) - performance.now();
    for (let leftMs = lullLeftMs(); leftMs > 0; leftMs = lullLeftMs()) await sleep(leftMs);
    const timer = setInterval(() => server.server.closeIdleConnections(), IDLE_CHECK_MS);
    timer.unref();
    server.server.once('close', () => clearInterval(timer));
  });
  return { begin: () => void begin() };
}
