import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type supertest from 'supertest';
import { expect } from 'vitest';

const FILE = new URL('../../docs/openapi.json', import.meta.url);

type Json = Record<string, unknown>;
type Response = { $ref?: string; content?: Record<string, { schema: Json } | undefined>; headers?: Json };
type Document = {
  paths: Record<string, Record<string, { responses: Record<string, Response | undefined> } | undefined>>;
  components: { responses: Record<string, Response | undefined> };
};

const document = closed(JSON.parse(readFileSync(FILE, 'utf8'))) as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'openapi');

/** Holds an answer against docs/openapi.json: its path, method and status are described, and its body has no field that is not. */
export function expectToMatchOpenApi(answer: supertest.Response): void {
  const { method, url } = answer.request as { method: string; url: string };
  const path = new URL(url).pathname;
  const template = Object.keys(document.paths).find((candidate) => matches(candidate, path));
  const where = `${method} ${path} ${answer.status}`;
  expect(template, `${where}: no such path in docs/openapi.json`).toBeDefined();
  const operation = document.paths[template ?? '']?.[method.toLowerCase()];
  const described = operation?.responses[String(answer.status)];
  expect(described, `${where}: no such answer in docs/openapi.json`).toBeDefined();
  const response = resolve(described ?? {});
  for (const name of Object.keys(response.headers ?? {})) {
    expect(answer.headers, where).toHaveProperty(name.toLowerCase());
  }
  const schema = response.content?.['application/json']?.schema;
  if (!schema) {
    expect(answer.text ?? '', `${where}: a body that is not described`).toBe('');
    return;
  }
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  const validate = ajv.compile(withBase(schema) as Json);
  const isRight = validate(answer.body);
  expect(isRight, `${where}: ${ajv.errorsText(validate.errors)}`).toBe(true);
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
}

function resolve(response: Response): Response {
  const name = /^#\/components\/responses\/(.+)$/.exec(response.$ref ?? '')?.[1];
  return name === undefined ? response : (document.components.responses[name] ?? {});
}

/** References are meant within the document, not within the schema at hand. */
function withBase(value: unknown): unknown {
  return mapObjects(value, (object) =>
    typeof object.$ref === 'string' && object.$ref.startsWith('#')
      ? { ...object, $ref: `openapi${object.$ref}` }
      : object,
  );
}

/** What is not described must not be there, so that nothing leaves the house by oversight. */
function closed(value: unknown): unknown {
  return mapObjects(value, (object) =>
    object.type !== undefined && object.properties !== undefined && object.additionalProperties === undefined
      ? { ...object, additionalProperties: false }
      : object,
  );
}

function mapObjects(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((entry) => mapObjects(entry, change));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, mapObjects(entry, change)] as const);
  return change(Object.fromEntries(entries));
}
