import type { EnvReader } from './env-reader.js';

const LOOPBACK_HOST_PATTERN = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The address of a service: its scheme and host, without a final slash. */
export function readBaseUrl(read: EnvReader, name: string, fallback: string): string {
  const url = parse(read.text(name, fallback));
  if (url && isProtected(url) && url.pathname === '/' && url.search === '') return url.origin;
  read.problems.push(`${name} must be https:// and a host, nothing more (http only on this machine)`);
  return fallback;
}

/** Where something is posted to: path and query as the receiver gave them. Null, and a problem, when it is no such address. */
export function readEndpoint(read: EnvReader, name: string): URL | null {
  const text = read.text(name);
  if (!text) return null;
  const url = parse(text);
  if (url && isProtected(url)) return url;
  read.problems.push(
    `${name} must be an https:// address without a user name or a # (http only on this machine)`,
  );
  return null;
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** What is sent there is read by nobody on the way; on this machine there is no way. */
function isProtected(url: URL): boolean {
  if (`${url.username}${url.password}${url.hash}` !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK_HOST_PATTERN.test(url.hostname));
}
