import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type supertest from 'supertest';
import { newToken, newTokenId, hashToken } from '../../src/admin/token-format.js';
import type { Role } from '../../src/admin/permissions.js';
import { RefusedTries } from '../../src/platform/http/refused-tries.js';
import type { TestApplication } from './application.js';
import type { TestDatabase } from './database.js';

const DAY_MS = 86_400_000;

export type TestToken = { readonly id: string; readonly token: string; readonly name: string };

/** A token as the command line makes one, put into the table directly; the migrations have run by then. */
export async function insertToken(
  database: TestDatabase,
  role: Role,
  changes: { name?: string; expires_at?: Date; revoked_at?: Date | null } = {},
): Promise<TestToken> {
  const token = newToken();
  const row = {
    id: newTokenId(Date.now()),
    name: `${role}-of-the-tests`,
    role,
    token_hash: hashToken(token),
    created_by: 'test',
    expires_at: new Date(Date.now() + DAY_MS),
    revoked_at: null,
    ...changes,
  };
  await database.query('INSERT INTO admin_tokens SET ?', [row]);
  return { id: row.id, token, name: row.name };
}

export type AdminClient = {
  get(path: string): supertest.Test;
  head(path: string): supertest.Test;
  post(path: string, body?: Record<string, unknown>): supertest.Test;
  patch(path: string, body?: Record<string, unknown>): supertest.Test;
};

/** Requests below /api/admin with a token. */
export function adminClient(application: TestApplication, { token }: { token: string }): AdminClient {
  const authorized = (request: supertest.Test) => request.set('Authorization', `Bearer ${token}`);
  return {
    get: (path) => authorized(application.http().get(`/api/admin${path}`)),
    head: (path) => authorized(application.http().head(`/api/admin${path}`)),
    post: (path, body) => authorized(application.http().post(`/api/admin${path}`)).send(body),
    patch: (path, body) => authorized(application.http().patch(`/api/admin${path}`)).send(body),
  };
}

/** An answer that is taken as slowly as the test likes. */
export type OpenAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** One more piece; nothing is read beyond it. */
  next(): Promise<string>;
  /** All that is left. Rejects when the answer breaks off. */
  rest(): Promise<string>;
  /** The client goes. */
  abort(): void;
};

export async function openAnswer(
  application: TestApplication,
  { token }: { token: string },
  path: string,
): Promise<OpenAnswer> {
  const { port } = application.app.getHttpServer().address() as AddressInfo;
  const headers = { Authorization: `Bearer ${token}` };
  const request = get({ host: '127.0.0.1', port, path: `/api/admin${path}`, headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next: async () => (await pieces.next()).value ?? '',
    async rest() {
      let text = '';
      for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) text += piece.value;
      return text;
    },
    abort: () => request.destroy(),
  };
}

/** For tests with many refusals: begins a new window, as a minute would. */
export function forgetRefusals(application: TestApplication): void {
  application.app.get(RefusedTries).onModuleDestroy();
}
