import type supertest from 'supertest';
import { newToken, newTokenId, hashToken } from '../../src/admin/token-format.js';
import type { Role } from '../../src/admin/permissions.js';
import { RefusedTries } from '../../src/admin/refused-tries.js';
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
  post(path: string, body?: Record<string, unknown>): supertest.Test;
  patch(path: string, body?: Record<string, unknown>): supertest.Test;
};

/** Requests below /api/admin with a token. */
export function adminClient(application: TestApplication, { token }: { token: string }): AdminClient {
  const authorized = (request: supertest.Test) => request.set('Authorization', `Bearer ${token}`);
  return {
    get: (path) => authorized(application.http().get(`/api/admin${path}`)),
    post: (path, body) => authorized(application.http().post(`/api/admin${path}`)).send(body),
    patch: (path, body) => authorized(application.http().patch(`/api/admin${path}`)).send(body),
  };
}

/** For tests with many refusals: begins a new window, as a minute would. */
export function forgetRefusals(application: TestApplication): void {
  application.app.get(RefusedTries).onModuleDestroy();
}
