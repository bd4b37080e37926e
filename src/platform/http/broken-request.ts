import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

type BrokenRequest = { readonly code?: string };

const REFUSALS: Record<string, readonly [string, string, string]> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'The headers are too large.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'request_timeout',
    'The request took too long to arrive.',
  ],
};

const NOT_HTTP = ['400 Bad Request', 'invalid_request', 'This is no HTTP request that can be read.'] as const;

/** Answers what is not even HTTP with the envelope of all errors, and closes: no route and no filter ever sees it. */
export function answerBrokenRequest(error: BrokenRequest, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = REFUSALS[error.code ?? ''] ?? NOT_HTTP;
  const body = JSON.stringify({ success: false, error: code, message });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Addresses that the router cannot read. Fastify's own answer repeats what was sent, and is not the envelope. */
export function answerBadAddress(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const isLong = error.statusCode === 414;
  void reply.status(isLong ? 414 : 400).send({
    success: false,
    error: isLong ? 'address_too_long' : 'invalid_request',
    message: isLong ? 'A part of the address is too long.' : 'The address cannot be read.',
  });
}
