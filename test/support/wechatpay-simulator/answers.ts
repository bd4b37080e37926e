import type { ServerResponse } from 'node:http';
import { ApiError, internalNumber } from './api-error.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { PlatformKey } from './keys.ts';
import { makeRequestId } from './notice.ts';
import type { Outcome } from './routes.ts';
import { asProbe, signBody } from './signing.ts';

/** Everything that goes over the wire, before faults that concern the connection itself. */
export type Answer = { status: number; headers: Record<string, string>; body: Buffer };

const JSON_TYPE = 'application/json; charset=utf-8';
const SKEW_MS = 6 * 60_000;
/** Larger than any honest answer, and than what a careful client reads. */
const HUGE_BODY_BYTES = 4 * 1024 * 1024;
const BAD_GATEWAY_PAGE =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

export type Signer = { key: PlatformKey; nowMs: number };

/** A success, signed unless it is a file; with the fault, when it is one of content or signature. */
export function toAnswer(outcome: Outcome, signer: Signer, fault: Fault | null): Answer {
  if (typeof outcome === 'object' && 'file' in outcome) {
    const headers = { 'Content-Type': 'application/octet-stream', 'Request-ID': makeRequestId(0) };
    return { status: 200, headers, body: fault === 'huge' ? pad(outcome.file) : outcome.file };
  }
  const plain = outcome === 'no content' ? Buffer.alloc(0) : toBody(outcome.json, fault);
  const body = fault === 'huge' ? pad(plain) : plain;
  const common = { 'Content-Type': JSON_TYPE, 'Request-ID': makeRequestId(internalNumber(null)) };
  return {
    status: body.length === 0 ? 204 : 200,
    headers: { ...common, ...signatureHeaders(body, signer, fault) },
    body: fault === 'changed-body' ? change(body) : body,
  };
}

/** An error; WeChat Pay's are not signed. */
export function toErrorAnswer(error: ApiError): Answer {
  return {
    status: error.status,
    headers: { 'Content-Type': JSON_TYPE, 'Request-ID': makeRequestId(internalNumber(error.code)) },
    body: Buffer.from(JSON.stringify(error.body), 'utf8'),
  };
}

export function badGateway(): Answer {
  return { status: 502, headers: { 'Content-Type': 'text/html' }, body: Buffer.from(BAD_GATEWAY_PAGE) };
}

export function redirectTo(location: string): Answer {
  return { status: 302, headers: { Location: location }, body: Buffer.alloc(0) };
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = status === 204 ? {} : { 'Content-Length': String(body.length) };
  response.writeHead(status, { ...headers, ...length });
  response.end(body);
}

/** Promises the whole body, sends half of it and hangs up. */
export function sendTruncated(response: ServerResponse, { status, headers, body }: Answer): void {
  const length = Math.max(body.length, 2);
  response.writeHead(status === 204 ? 200 : status, { ...headers, 'Content-Length': String(length) });
  response.write(body.subarray(0, length >> 1), () => response.socket?.destroy());
  response.flushHeaders();
}

function signatureHeaders(body: Buffer, { key, nowMs }: Signer, fault: Fault | null): Record<string, string> {
  const signed = signBody(body, { key, atMs: fault === 'skew' ? nowMs - SKEW_MS : nowMs });
  const faulty: Partial<Record<FaultKind, Record<string, string>>> = {
    'missing-headers': {},
    'bad-signature': asProbe(signed),
    'unknown-serial': { ...signed, 'Wechatpay-Serial': unknownSerial(key) },
  };
  return (typeof fault === 'string' ? faulty[fault] : undefined) ?? signed;
}

function unknownSerial({ kind }: PlatformKey): string {
  return kind === 'certificate' ? '7'.repeat(40) : `PUB_KEY_ID_${'7'.repeat(34)}`;
}

function toBody(json: Record<string, unknown>, fault: Fault | null): Buffer {
  const isRewrite = typeof fault === 'object' && fault !== null && 'rewrite' in fault;
  return Buffer.from(JSON.stringify(isRewrite ? fault.rewrite(json) : json), 'utf8');
}

/** Still the same JSON, with a blank that nobody signed. */
function change(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.from(' ')]);
}

function pad(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc(HUGE_BODY_BYTES, ' ')]);
}
