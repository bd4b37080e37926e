import type { EnvReader } from './env-reader.js';

/** Values printed in documents and examples; a deployment that still has one is open to everybody. */
const SAMPLE_SECRETS = new Set([
  'your_internal_secret_key_here',
  'your-internal-secret',
  'change-me-change-me',
  'changemechangeme',
]);

const SECRET_LENGTH_MIN = 16;

/** A secret shared with somebody else. Null, and a problem, when it is missing, too short or known to everybody. */
export function readSecret(read: EnvReader, name: string): string | null {
  const secret = read.text(name);
  if (!secret) return null;
  if (secret.length < SECRET_LENGTH_MIN) {
    read.problems.push(
      `${name} must have at least ${SECRET_LENGTH_MIN} characters (try: openssl rand -hex 24)`,
    );
    return null;
  }
  if (SAMPLE_SECRETS.has(secret.toLowerCase())) {
    read.problems.push(`${name} is a value from an example; make one of your own (openssl rand -hex 24)`);
    return null;
  }
  return secret;
}
