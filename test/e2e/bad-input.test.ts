import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SpoolService } from '../../src/platform/spool/spool.service.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';

const BODY_BYTES_MAX = 16 * 1024;
const ANSWERED_WITHIN_MS = 1_000;
/** In every refused body, so that an answer which repeats what was sent is found out. */
const ECHO = 'echo7f3a';

let database: TestDatabase;
let backend: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

// What one test stored must not fail those after it.
afterEach(() => database.query('TRUNCATE TABLE inbox_messages'));

type Sent = { body?: string | Buffer; headers?: OutgoingHttpHeaders; isChunked?: boolean };
type Answer = { status: number; text: string; durationMs: number };

const port = () => (backend.app.getHttpServer().address() as AddressInfo).port;

/** Bytes as they are, which no client library would send. */
function post(path: string, { body = '', headers = {}, isChunked = false }: Sent): Promise<Answer> {
  const startedMs = performance.now();
  const length = isChunked
    ? { 'Transfer-Encoding': 'chunked' }
    : { 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sending = request(
      {
        host: '127.0.0.1',
        port: port(),
        path,
        method: 'POST',
        agent: false,
        headers: {
          'Content-Type': 'application/json',
          'X-Internal-Secret': INTERNAL_SECRET,
          ...length,
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, durationMs: performance.now() - startedMs }),
        );
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}

async function expectNothingStored(): Promise<void> {
  const [row] = await database.query<{ n: string | number }>('SELECT COUNT(*) AS n FROM inbox_messages');
  const { depth, setAside } = await backend.app.get(SpoolService).stats();
  const [failures] = await database.query<{ n: string | number }>('SELECT COUNT(*) AS n FROM error_logs');
  expect({ inbox: Number(row?.n), spool: depth + setAside, failures: Number(failures?.n) }).toEqual({
    inbox: 0,
    spool: 0,
    failures: 0,
  });
}

const withNumber = (outTradeNo: unknown) => JSON.stringify({ outTradeNo, openid: ECHO });
const withRawNumber = (json: string) => `{"outTradeNo":${json},"openid":"${ECHO}"}`;
const nested = (levels: number) => `${'['.repeat(levels)}"${ECHO}"${']'.repeat(levels)}`;
const good = () => JSON.stringify(orderCreatedBody());

const NOT_A_MESSAGE: [string, string | Buffer][] = [
  ['nothing at all', ''],
  ['blanks', ' \r\n '],
  ['half an object', `{"outTradeNo":"${ECHO}`],
  ['a form', `outTradeNo=${ECHO}`],
  ['single quotes', `{'outTradeNo':'${ECHO}'}`],
  ['a comma at the end', `{"outTradeNo":"${ECHO}",}`],
  ['two objects', `{"outTradeNo":"${ECHO}"}{"outTradeNo":"${ECHO}"}`],
  ['an object in an array', `[{"outTradeNo":"${ECHO}"}]`],
  ['a text', `"${ECHO}"`],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '170634567890112345'],
  ['NaN', withRawNumber('NaN')],
  ['Infinity', withRawNumber('Infinity')],
  ['undefined', withRawNumber('undefined')],
  ['a hexadecimal number', withRawNumber('0x10')],
  ['arrays in arrays, 7,000 deep', nested(7_000)],
  ['a field with arrays in arrays, 5,000 deep', `{"outTradeNo":"${ECHO}","x":${nested(5_000)}}`],
  ['a field nested one level too deep', `{"outTradeNo":"${ECHO}","x":${nested(8)}}`],
  ['__proto__', `{"outTradeNo":"${ECHO}","__proto__":{"outTradeNo":"x"}}`],
  ['__proto__ written with escapes', `{"outTradeNo":"${ECHO}","\\u005f\\u005fproto__":{"admin":true}}`],
  ['__proto__ further down', `{"outTradeNo":"${ECHO}","x":{"__proto__":{"admin":true}}}`],
  ['constructor.prototype', `{"outTradeNo":"${ECHO}","constructor":{"prototype":{"admin":true}}}`],
  ['the bytes of another encoding', Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
];

const BAD_NUMBERS: [string, string][] = [
  ['missing', `{"openid":"${ECHO}"}`],
  ['null', withNumber(null)],
  ['empty', withNumber('')],
  ['blank', withNumber(' ')],
  ['true', withNumber(true)],
  ['0', withRawNumber('0')],
  ['-1', withRawNumber('-1')],
  ['29.9', withRawNumber('29.9')],
  ['the text 29.9', withNumber('29.9')],
  ['1e400', withRawNumber('1e400')],
  ['2^53 + 1 as a number', withRawNumber('9007199254740993')],
  ['18 digits as a number', withRawNumber('170634567890112345')],
  ['an object', withNumber({ $ne: null })],
  ['an object that looks like a text', withNumber({ toString: 'x', length: 18 })],
  ['an array of one number', withNumber(['170634567890112345'])],
  ['too long', withNumber('1'.repeat(65))],
  ['with a space', withNumber('17063456789 0112345')],
  ['with a space at the end', withNumber('170634567890112345 ')],
  ['with a line end', withNumber('170634567890112345\n')],
  ['with NUL', withNumber('17063456789\u00000112345')],
  ['with a quote', withNumber("1' OR '1'='1")],
  ['with a double quote', withNumber('1"')],
  ['with a backslash', withNumber('1\\')],
  ['with a percent sign', withNumber('%')],
  ['in Chinese digits', withNumber('一二三四五六')],
  ['in full-width digits', withNumber('１２３４５６')],
  ['an emoji', withNumber('😀')],
  ['half an emoji', withRawNumber('"\\ud83d12345"')],
  ['the other half', withRawNumber('"12345\\ude00"')],
];

const UNREADABLE: [string, () => Sent][] = [
  ['a gzipped body', () => ({ body: gzipSync(good()), headers: { 'Content-Encoding': 'gzip' } })],
  [
    'a gzip bomb',
    () => ({ body: gzipSync(Buffer.alloc(8 * 1024 * 1024)), headers: { 'Content-Encoding': 'gzip' } }),
  ],
  ['a body said to be compressed', () => ({ body: good(), headers: { 'Content-Encoding': 'br' } })],
  ['two encodings', () => ({ body: good(), headers: { 'Content-Encoding': 'identity, gzip' } })],
  ...[
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/plain;charset=UTF-8',
    'text/json',
    'text/html',
    'application/xml',
    'application/octet-stream',
    'application/jsonp',
    'json',
    '*/*',
    '',
  ].map((type): [string, () => Sent] => [
    `the content type "${type}"`,
    () => ({ body: good(), headers: { 'Content-Type': type } }),
  ]),
];

const padded = (bytes: number) => {
  const start = `{"outTradeNo":"${newOutTradeNo()}","dbError":"`;
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
};

const TOO_LARGE: [string, () => Sent][] = [
  ['one byte too many', () => ({ body: padded(BODY_BYTES_MAX + 1) })],
  ['one byte too many, in chunks', () => ({ body: padded(BODY_BYTES_MAX + 1), isChunked: true })],
  ['a megabyte', () => ({ body: padded(1024 * 1024) })],
  ['arrays in arrays, 200,000 deep', () => ({ body: '['.repeat(200_000) })],
];

// Prevents crashes, 5xx and rows made of rubbish: each line is a body that broke a JSON backend somewhere (fault 24).
describe.each(['order-created', 'notify'])('POST /api/payment/internal/%s', (route) => {
  const path = `/api/payment/internal/${route}`;

  async function expectRefused(sent: Sent, status: number): Promise<void> {
    const answer = await post(path, sent);
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.any(String) });
    const envelope = JSON.parse(answer.text) as Record<string, unknown>;
    expect(envelope).toEqual({ success: false, error: expect.any(String), message: expect.any(String) });
    expect(answer.text).not.toContain(ECHO);
    expect(answer.durationMs).toBeLessThan(ANSWERED_WITHIN_MS);
    await expectNothingStored();
  }

  it.each(NOT_A_MESSAGE)('refuses %s with 400', (_, body) => expectRefused({ body }, 400));
  it.each(BAD_NUMBERS)('refuses an outTradeNo that is %s with 400', (_, body) =>
    expectRefused({ body }, 400),
  );
  it.each(UNREADABLE)('refuses %s with 415', (_, make) => expectRefused(make(), 415));
  it.each(TOO_LARGE)('refuses %s with 413', (_, make) => expectRefused(make(), 413));

  // Of two merchant numbers in one body each reader takes another one: money would hang on the reader's taste.
  it('refuses duplicate keys with 400', () =>
    expectRefused({ body: `{"outTradeNo":"${newOutTradeNo()}","outTradeNo":"${newOutTradeNo()}"}` }, 400));

  it('refuses no body and no content type with 400', async () => {
    const answer = await backend.http().post(path).set('X-Internal-Secret', INTERNAL_SECRET);
    expect([answer.status, answer.body.success]).toEqual([400, false]);
    await expectNothingStored();
  });

  it.each([
    ['a good body', () => ({ body: good() }), [401]],
    ['a body that is no JSON', () => ({ body: '{' }), [400, 401]],
    ['a body too large', () => ({ body: padded(BODY_BYTES_MAX + 1) }), [401, 413]],
    [
      'a form',
      () => ({ body: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      [401, 415],
    ],
  ] as [string, () => Sent, number[]][])(
    'lets nobody in with a wrong secret and %s',
    async (_, make, statuses) => {
      const sent = make();
      const answer = await post(path, {
        ...sent,
        headers: { ...sent.headers, 'X-Internal-Secret': `wrong-${ECHO}` },
      });
      expect(statuses).toContain(answer.status);
      expect(JSON.parse(answer.text)).toMatchObject({ success: false });
      expect(answer.text).not.toContain(ECHO);
      await expectNothingStored();
    },
  );
});

/** What cannot be said through an HTTP client: raw bytes on a socket, and the first line that comes back. */
function speak(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port(), '127.0.0.1', () => socket.write(bytes));
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    socket.on('close', () => resolve(heard));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // The server may reset a connection whose rest it will not read.
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(heard) : reject(error),
    );
  });
}

describe('what is not even HTTP', () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const head = (...lines: string[]) =>
    `POST /api/payment/internal/notify HTTP/1.1\r\nHost: x\r\nX-Internal-Secret: ${INTERNAL_SECRET}\r\nContent-Type: application/json\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`;
  const body = JSON.stringify(notifyBody({ outTradeNo: '170634567890112345' }));

  it.each([
    ['headers of 64 KB', 431, head(`X-Large: ${ECHO.repeat(8_000)}`, 'Content-Length: 2') + '{}'],
    ['4,000 headers', 431, head(...Array.from({ length: 4_000 }, (_, n) => `X-${ECHO}-${n}: 1`)) + '{}'],
    ['no request at all', 400, `${ECHO}\r\n\r\n`],
    ['a length that is none', 400, head('Content-Length: 1x') + body],
    ['a negative length', 400, head('Content-Length: -1') + body],
    ['two lengths', 400, head(`Content-Length: ${body.length}`, 'Content-Length: 2') + body],
    ['a length and chunks', 400, head('Content-Length: 2', 'Transfer-Encoding: chunked') + `${body}`],
    ['chunks that are none', 400, head('Transfer-Encoding: chunked') + `zz\r\n${body}\r\n0\r\n\r\n`],
    ['a header with a line end in it', 400, head(`X-A: a\u0000b`, 'Content-Length: 2') + '{}'],
    // Fastify's own answer repeats the address, and an address may hold what must not be repeated.
    ['an address with bytes that are no text', 400, get(`/api/admin/orders/%ff${ECHO}`)],
    ['an address with half an escape', 400, get(`/api/payment/orders/${ECHO}%/status`)],
    ['an address with a part of 200 characters', 414, get(`/api/admin/orders/${ECHO.repeat(20)}`)],
  ])('answers %s with %i and the envelope', async (_, status, bytes) => {
    const heard = await speak(bytes);
    expect(heard.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(heard).not.toContain(ECHO);
    await expectNothingStored();
    expect(JSON.parse(heard.slice(heard.indexOf('\r\n\r\n')))).toEqual({
      success: false,
      error: expect.any(String),
      message: expect.any(String),
    });
  });

  it('leaves the process alive', async () => {
    await backend.http().get('/health/live').expect(200, { status: 'live' });
  });
});
