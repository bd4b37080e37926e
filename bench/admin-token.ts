import { createHash, randomBytes } from 'node:crypto';
import type { Connection } from 'mysql2/promise';

/** Makes a token of the admin API as `token create` would, and returns its secret. The connection uses the backend's database. */
export async function createAdminToken(connection: Connection, role: 'viewer' | 'operator'): Promise<string> {
  const token = `wxadm_${randomBytes(32).toString('base64url')}`;
  const hash = createHash('sha256').update(token).digest('hex');
  await connection.query(
    'INSERT INTO admin_tokens (id, name, token_hash, role, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
    ['token-bench', 'bench', hash, role, 'bench', '2099-01-01'],
  );
  return token;
}
