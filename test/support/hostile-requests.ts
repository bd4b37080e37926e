import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import {
  HOSTILE_VALUES,
  HOSTILE_BODIES,
  HOSTILE_TEXTS,
  TOO_LARGE,
  HOSTILE_HEADERS,
  EXTRA_QUERIES,
  EXTRA_FIELDS,
  PATH_TRICKS,
  OTHER_METHODS,
  GZIP_BOMB,
} from './hostile-material.js';

/*
 * Requests to every route of docs/openapi.json: right ones by their schemas, and then a few things about them wrong. A body is
 * kept as text, because much of what is hostile in JSON cannot be made from values.
 */

type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
};
type Parameter = { name: string; in: string; required?: boolean; schema?: Schema };
type Described = {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema } | undefined> };
  responses: Record<string, unknown>;
};

type Operation = { method: string; template: string; described: Described };

export type HostileRequest = {
  template: string;
  /** The statuses that the document knows for it. */
  described: string[];
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  body: Buffer | null;
};

const DOCUMENT = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema | undefined> };
};

const OPERATIONS: Operation[] = Object.entries(DOCUMENT.paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, described]) => ({
    method: method.toUpperCase(),
    template,
    described,
  })),
);

/** @param known values that exist, by the name of the field or parameter */
export function hostileRequests(
  known: Readonly<Record<string, readonly string[]>>,
  credentials: Record<string, string>,
): Arbitrary<HostileRequest> {
  return fc.constantFrom(...OPERATIONS).chain((operation) => spoiled(operation, known, credentials));
}

function spoiled(
  operation: Operation,
  known: Readonly<Record<string, readonly string[]>>,
  credentials: Record<string, string>,
): Arbitrary<HostileRequest> {
  const { parameters = [] } = operation.described;
  const schema = resolve(operation.described.requestBody?.content['application/json']?.schema ?? {});
  const texts = (place: string) =>
    parameters.filter((parameter) => parameter.in === place).map((parameter) => textOf(parameter, known));
  const hostileText = fc.constantFrom(...HOSTILE_TEXTS);
  return fc
    .record({
      path: fc.tuple(...texts('path').map((text) => mostly(text, hostileText))),
      query: fc.tuple(...texts('query').map((text) => seldom(mostly(text, hostileText)))),
      extraQuery: rarely(15, fc.constantFrom(...EXTRA_QUERIES), ''),
      fields: fc.tuple(
        ...Object.entries(schema.properties ?? {}).map(([name, field]) =>
          mostly(
            valueOf(name, field, known).map((value): string | null => JSON.stringify(value)),
            fc.constantFrom<string | null>(...HOSTILE_VALUES, null),
          ),
        ),
      ),
      extraField: rarely(15, fc.constantFrom(...EXTRA_FIELDS), ''),
      wholeBody: rarely(15, fc.constantFrom<string | null>(...HOSTILE_BODIES), null),
      isBomb: rarely(60, fc.constant<boolean>(true), false),
      header: rarely(6, fc.constantFrom(...HOSTILE_HEADERS), {}),
      method: rarely(20, fc.constantFrom<string | null>(...OTHER_METHODS), null),
      pathTrick: rarely(20, fc.constantFrom(...PATH_TRICKS), ''),
    })
    .map((drawn) => {
      let index = 0;
      const path = operation.template.replace(/\{[^}]+\}/g, () => drawn.path[index++] ?? '');
      const named = parameters.filter((parameter) => parameter.in === 'query');
      const query = [...named.map(({ name }, at) => pair(name, drawn.query[at] ?? null)), drawn.extraQuery];
      const names = Object.keys(schema.properties ?? {});
      const fields = [
        ...drawn.fields.map((json, at) => (json === null ? '' : `"${names[at]}":${json}`)),
        drawn.extraField,
      ];
      const text = drawn.wholeBody ?? `{${fields.filter(Boolean).join(',')}}`;
      const takesBody = operation.described.requestBody !== undefined;
      // The answer to headers that cannot be read has a body, because nobody has read that it was HEAD.
      const method = (drawn.header === TOO_LARGE ? null : drawn.method) ?? operation.method;
      const isBomb = takesBody && drawn.isBomb;
      return {
        template: operation.template,
        described: Object.keys(operation.described.responses),
        method,
        path: `${path}${drawn.pathTrick}?${query.filter(Boolean).join('&')}`.replace(/\?$/, ''),
        headers: {
          ...credentials,
          ...(takesBody ? { 'Content-Type': 'application/json' } : {}),
          ...drawn.header,
          ...(isBomb ? { 'Content-Encoding': 'gzip' } : {}),
        },
        body: isBomb ? GZIP_BOMB : takesBody ? Buffer.from(text) : null,
      };
    });
}

const mostly = <T>(right: Arbitrary<T>, wrong: Arbitrary<T>) =>
  fc.oneof({ arbitrary: right, weight: 15 }, { arbitrary: wrong, weight: 1 });
/** Wrong once in so many. */
const rarely = <T>(times: number, wrong: Arbitrary<T>, right: NoInfer<T>) =>
  fc.oneof({ arbitrary: fc.constant(right), weight: times - 1 }, { arbitrary: wrong, weight: 1 });
const seldom = (text: Arbitrary<string>) => fc.option(text, { freq: 2 });
const pair = (name: string, value: string | null) => (value === null ? '' : `${name}=${value}`);

function textOf(
  { name, schema = {} }: Parameter,
  known: Readonly<Record<string, readonly string[]>>,
): Arbitrary<string> {
  return valueOf(name, schema, known).map((value) => encodeURIComponent(String(value).toWellFormed()));
}

function valueOf(
  name: string,
  given: Schema,
  known: Readonly<Record<string, readonly string[]>>,
): Arbitrary<unknown> {
  const schema = resolve(given);
  const type = [schema.type].flat()[0];
  if (known[name]) return fc.constantFrom(...known[name]);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (type === 'integer' || type === 'number') {
    return fc.integer({ min: schema.minimum ?? -1, max: Math.min(schema.maximum ?? 10_000, 2 ** 31 - 1) });
  }
  if (type === 'boolean') return fc.boolean();
  if (type === 'array') return fc.array(valueOf(name, schema.items ?? {}, known), { maxLength: 3 });
  if (type === 'object') {
    const properties = Object.entries(schema.properties ?? {});
    return fc.record(Object.fromEntries(properties.map(([key, field]) => [key, valueOf(key, field, known)])));
  }
  if (schema.format === 'date-time') {
    return fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-27T08:00:00.5+08:00', '2027-12-31T23:59:59.999Z');
  }
  if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern));
  return fc.string({
    minLength: schema.minLength ?? 0,
    maxLength: Math.min(schema.maxLength ?? 40, 80),
    unit: 'grapheme',
  });
}

function resolve(schema: Schema): Schema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  return name === undefined ? schema : (DOCUMENT.components.schemas[name] ?? {});
}
