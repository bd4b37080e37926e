import { gzipSync } from 'node:zlib';

/* What breaks servers, by the place where it stands in a request. */

const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const LONG = 'x'.repeat(17_000);

export const HOSTILE_VALUES = [
  ...[
    'null',
    'true',
    '0',
    '-0',
    '-1',
    '29.9',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    'NaN',
    '0x10',
  ],
  ...['""', '" "', '"29.9"', '"1e400"', '"NaN"', '"-1"', '[]', '{}', '[1]', '[null]', '{"$ne":null}'],
  ...[
    '{"__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"toString":"x","length":9}',
  ],
  ...[
    '"\\ud83d"',
    '"\\ude00x"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\r\\nX-A: b"',
    '"\\u202e"',
    '"李雷😀"',
    `"${LONG}"`,
  ],
  ...[
    `"' OR 1=1 -- "`,
    '"1; DROP TABLE users"',
    '"\\\\"',
    '"%"',
    '"=cmd|\' /C calc\'!A0"',
    '"${7*7}"',
    '"../../x"',
  ],
  ...[
    '"2026-02-30T00:00:00Z"',
    '"9999-12-31T23:59:59Z"',
    '"0000-01-01T00:00:00Z"',
    '"1969-12-31T00:00:00-12:00"',
  ],
  ...[nested(7), nested(9), nested(3_000), '{"a":1,"a":2}', "'x'", 'undefined', ''],
];

export const HOSTILE_BODIES = [
  ...[
    '',
    ' ',
    'null',
    '"x"',
    '[]',
    '{',
    '{}',
    '{"a":1,}',
    '{"a":1}{"a":1}',
    'a=b',
    '\ufeff{}',
    nested(8_000),
  ],
  ...['['.repeat(200_000), `{"a":"${LONG}"}`, '{"__proto__":null}', '{"constructor":{"prototype":{"x":1}}}'],
];

/** As they stand in an address, escapes and all. */
export const HOSTILE_TEXTS = [
  ...[
    '',
    '%00',
    'a%00b',
    '%',
    '%zz',
    '%u0041',
    '%ff%fe',
    '%c0%af',
    '%ED%A0%BD',
    '%F0%9F%98%80',
    '%2e%2e',
    '..%2f..%2fetc',
  ],
  ...[
    '-1',
    '0',
    '1e400',
    'NaN',
    '0x10',
    '9007199254740993',
    '99999999999999999999',
    '1.5',
    '+1',
    'null',
    'true',
  ],
  ...[
    '[]',
    '{}',
    '__proto__',
    'constructor',
    "'%20OR%201%3D1%20--%20",
    '1%3BDROP%20TABLE%20users',
    '%25',
    '_',
    '%5c',
  ],
  ...[
    '%0d%0aX-A:%20b',
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-01-01',
    'WyJ4Il0',
    'a'.repeat(600),
    'a'.repeat(9_000),
  ],
];

export const TOO_LARGE: Record<string, string> = { 'X-Large': 'x'.repeat(16_384) };
export const HOSTILE_HEADERS: Record<string, string | string[]>[] = [
  ...[
    'text/plain',
    'application/xml',
    'application/json; charset=utf-16',
    'application/json, text/html',
    'json',
    '',
  ].map((type) => ({ 'Content-Type': type })),
  ...['gzip', 'br', 'identity, gzip', 'x'].map((encoding) => ({ 'Content-Encoding': encoding })),
  { 'X-Large': 'x'.repeat(12_000) },
  TOO_LARGE,
  {
    'X-HTTP-Method-Override': 'DELETE',
    'X-Original-URL': '/api/admin/tokens',
    'X-Rewrite-URL': '/api/admin/tokens',
  },
  { Authorization: 'Bearer wxadm_wrong' },
  { Authorization: 'Basic YTpi' },
  { Authorization: '' },
  { 'X-Internal-Secret': '' },
  { 'X-Internal-Secret': ['a', 'b'] },
  { 'Idempotency-Key': '' },
  { 'Idempotency-Key': 'x'.repeat(65) },
  { 'Idempotency-Key': ['a', 'b'] },
  { 'X-Request-Id': '${jndi:ldap://x}"<script>' },
  { 'X-Forwarded-For': "1.2.3.4, ' OR 1=1" },
  { 'If-None-Match': '*' },
  { Expect: '100-continue' },
  { Range: 'bytes=0-1' },
];

export const EXTRA_QUERIES = [
  ...['limit=1&limit=2', 'x=1', 'limit[]=1', '__proto__=1', 'a.b=1', '&&&=', '%=1', 'cursor', 'token=x'],
];
export const EXTRA_FIELDS = ['"__proto__":{"x":1}', '"extra":1', '"outTradeNo":"1"', '"constructor":1'];
export const PATH_TRICKS = ['/', '//', '/.', '/%2e', ';a=b', '%20', '/..', '%2f'];
export const OTHER_METHODS = [
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
  'PATCH',
  'POST',
  'GET',
  'PROPFIND',
];
export const GZIP_BOMB = gzipSync(Buffer.alloc(4 * 1024 * 1024));
