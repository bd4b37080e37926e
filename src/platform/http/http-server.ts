import { randomUUID } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import { AppConfig } from '../config/app-config.js';
import { AppLogger } from '../logging/app-logger.js';
import { Admission, admitInOrder } from './admission.js';
import { serveApiDocs } from './api-docs.js';
import { answerBadAddress, answerBrokenRequest } from './broken-request.js';
import { limitConnections } from './connection-limit.js';
import { DtoPipe } from './dto.pipe.js';
import { closeGracefully } from './graceful-close.js';
import type { GracefulClose } from './graceful-close.js';
import { JsonObjectPipe } from './json-object.pipe.js';
import { jsonRepeatsKey } from './json-shape.js';
import { RouteTable } from './route-table.js';

/** The largest honest body is under 2 KB; this leaves room for a long error text in `dbError`. */
const BODY_BYTES_MAX = 16 * 1024;
/** A slow client holds a socket no longer than this, headers and body apart. */
const HEADERS_DEADLINE_MS = 10_000;
const REQUEST_DEADLINE_MS = 15_000;
const CONNECTIONS_CHECK_MS = 1_000;
/** Nothing sent and nothing taken for so long, in the middle of an answer: the client is gone, or its way is. */
const SILENCE_MS = 60_000;
const KEEP_ALIVE_MS = 65_000; // longer than the usual 60 s of a balancer in front, which then closes first

const REQUEST_ID_PATTERN = /^[0-9A-Za-z_.-]{1,64}$/;

/** @param trustProxyHops how many proxies stand in front and may name the caller's address; 0 believes none */
export function createHttpAdapter({ trustProxyHops }: { readonly trustProxyHops: number }): FastifyAdapter {
  return new FastifyAdapter({
    trustProxy: trustProxyHops === 0 ? false : (_address: string, hop: number) => hop < trustProxyHops,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_DEADLINE_MS,
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // While it stops it still has its disk: what arrives on an open connection is kept and answered.
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerBadAddress,
    http: { headersTimeout: HEADERS_DEADLINE_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS },
    genReqId: (request: { headers: Record<string, unknown> }) => requestId(request.headers['x-request-id']),
    logger: false,
  });
}

/** Everything between the socket and a controller, the same in production and in tests. */
export function setUpHttp(app: NestFastifyApplication): GracefulClose {
  const config = app.get(AppConfig);
  const logger = app.get(AppLogger);
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  app.get(RouteTable).watch(server);
  readJsonOnly(server);
  const closing = closeGracefully(server);
  limitConnections(server, config.http.connectionsMax, logger);
  admitInOrder(server, app.get(Admission));
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('X-Request-Id', request.id).header('X-Content-Type-Options', 'nosniff');
    const hidden = config.role === 'worker' && !request.url.startsWith('/health/');
    const packed = (request.headers['content-encoding'] ?? 'identity') !== 'identity';
    if (hidden)
      done(new DomainError('not_found', 'not_found', 'This process is a worker: it answers /health only.'));
    else if (packed) done(Object.assign(new Error('compressed bodies are not read'), { statusCode: 415 }));
    else done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (!reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', 'no-store');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    logAnswer(logger, request, reply);
    done();
  });
  app.useGlobalPipes(new JsonObjectPipe(), new DtoPipe());
  if (config.apiDocs) serveApiDocs(app);
  return closing;
}

/** JSON is the only language, and each key of an object has one value. The bytes are kept, because a signature covers the bytes. */
function readJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    (request as FastifyRequest & { rawBody?: Buffer }).rawBody = body;
    const text = body.toString('utf8');
    void parse(request, text, (error, value: unknown) => {
      if (!error && jsonRepeatsKey(text, value)) {
        done(new DomainError('invalid_request', 'invalid', 'A key stands twice in the body.'));
      } else {
        done(error, value);
      }
    });
  });
}

/** The route and not the address: addresses can carry what must not be logged. */
function logAnswer(logger: AppLogger, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions?.url ?? 'unknown';
  // Refusals beyond the budget come in floods; they are counted in one line a minute.
  if (route.startsWith('/health/') || reply.statusCode === 429) return;
  logger.info('http.answered', {
    requestId: request.id,
    method: request.method,
    route,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
  });
}

/** A caller's own id is kept when it is harmless in a log line. */
function requestId(given: unknown): string {
  return typeof given === 'string' && REQUEST_ID_PATTERN.test(given) ? given : randomUUID();
}
