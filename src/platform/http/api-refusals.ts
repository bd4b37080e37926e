import type { OpenAPIObject } from '@nestjs/swagger';
import { ADMIN_TOKEN, INTERNAL_SECRET } from './documented.js';

type Operation = {
  security?: Record<string, unknown>[];
  parameters?: { in: string }[];
  requestBody?: unknown;
  responses: Record<string, Record<string, unknown> | undefined>;
};

const ERROR_SCHEMA = {
  type: 'object',
  required: ['success', 'error', 'message'],
  properties: {
    success: { type: 'boolean', enum: [false] },
    error: { type: 'string', description: 'For programs: one word that does not change.' },
    message: { type: 'string', description: 'For people: what is wrong, and what to do.' },
  },
};

const WAIT_HEADER = {
  'Retry-After': { description: 'Seconds.', required: true, schema: { type: 'string', pattern: '^\\d+$' } },
};

/** The refusals that every route of a kind has, each described once. */
const REFUSALS: Readonly<Record<string, { name: string; about: string; error: string; message: string }>> = {
  400: {
    name: 'BadRequest',
    about: 'The request is not right; the message names the field.',
    error: 'invalid_request',
    message: 'limit must not be greater than 200',
  },
  401: {
    name: 'Unauthorized',
    about: 'The token or the secret is missing, wrong, expired, revoked, or stands twice.',
    error: 'Unauthorized',
    message: 'Send a valid admin token: "Authorization: Bearer wxadm_…".',
  },
  403: {
    name: 'Forbidden',
    about: 'The role of the token does not have the permission of the route (`x-permission`).',
    error: 'forbidden',
    message: 'This needs the permission tokens:manage, which the role viewer does not have.',
  },
  404: {
    name: 'NotFound',
    about: 'There is no such thing.',
    error: 'not_found',
    message: 'There is no such token.',
  },
  409: {
    name: 'Conflict',
    about: 'The state of the thing does not allow it.',
    error: 'conflict',
    message: 'It was changed meanwhile.',
  },
  413: {
    name: 'PayloadTooLarge',
    about: 'The body is larger than 16 KB.',
    error: 'payload_too_large',
    message: 'The body is too large: at most 16 KB.',
  },
  415: {
    name: 'UnsupportedMediaType',
    about: 'The body is no JSON, or is compressed.',
    error: 'unsupported_media_type',
    message: 'Send Content-Type: application/json, uncompressed.',
  },
  429: {
    name: 'TooManyRequests',
    about:
      'Too many tries without a valid token or secret, among which a valid one is never counted; of files `busy`: as many as may be are being made.',
    error: 'too_many_requests',
    message: 'Too many tries without a valid token: wait, or send a valid one.',
  },
  503: {
    name: 'ServiceUnavailable',
    about: 'MySQL is away, or too much is asked at once: the same again after `Retry-After`.',
    error: 'database_unavailable',
    message: 'The database is away; try again in a few seconds.',
  },
};

/** Completes each operation with the refusals its kind has, so that no route has to list them. */
export function addRefusals(document: OpenAPIObject): OpenAPIObject {
  const responses = Object.fromEntries(
    Object.entries(REFUSALS).map(([status, { name, about, error, message }]) => [
      name,
      {
        description: about,
        ...(status === '429' || status === '503' ? { headers: WAIT_HEADER } : {}),
        content: errorContent({ error, message }),
      },
    ]),
  );
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path as Record<string, Operation>)) complete(operation);
  }
  const { schemas, ...components } = document.components ?? {};
  const all = { ...schemas, ErrorBody: ERROR_SCHEMA } as typeof schemas;
  return {
    ...document,
    // In one order whatever the order of the modules, so that a difference in the file is a difference of the API.
    paths: sorted(document.paths),
    components: { ...components, schemas: sorted(all ?? {}), responses } as OpenAPIObject['components'],
  };
}

function complete(operation: Operation): void {
  for (const status of statusesOf(operation)) {
    operation.responses[status] ??= { $ref: `#/components/responses/${REFUSALS[status]?.name}` };
  }
  // What a route says of its own refusals is their meaning; their form is that of all.
  for (const [status, response] of Object.entries(operation.responses)) {
    if (Number(status) >= 400 && response && !('$ref' in response)) {
      response.content ??= errorContent();
    }
  }
}

function statusesOf({ security = [], parameters = [], requestBody }: Operation): string[] {
  const takes = (scheme: string) => security.some((requirement) => scheme in requirement);
  const isBody = requestBody !== undefined;
  const isInput = isBody || parameters.some((parameter) => parameter.in !== 'header');
  return [
    ...(isInput ? ['400'] : []),
    ...(takes(ADMIN_TOKEN) ? ['401', '403', '429', '503'] : []),
    ...(takes(INTERNAL_SECRET) ? ['401', '429', '503'] : []),
    ...(isBody && security.length > 0 ? ['413', '415'] : []),
    ...(parameters.some((parameter) => parameter.in === 'path') ? ['404'] : []),
  ];
}

function errorContent(body?: { readonly error: string; readonly message: string }): Record<string, unknown> {
  const example = body ? { example: { success: false, ...body } } : {};
  return { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' }, ...example } };
}

function sorted<Value>(record: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
