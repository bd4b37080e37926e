import { DeadlineExceeded } from '../../shared/deadline.js';
import { DomainError } from '../../shared/domain-error.js';

const DUPLICATE_ENTRY = 1062;
const LOCK_WAIT_TIMEOUT = 1205;
const NO_SUCH_TABLE = 1146;

const DATABASE_UNAVAILABLE = 'database_unavailable';

/** Deadlock, and MariaDB's "record changed since the snapshot": the whole transaction may run again at once. */
const RETRYABLE_ERRNOS = new Set([1213, 1020]);

/** Answers of a server that cannot take writes now, though it answers: read-only, full, shutting down, no connection to spare, no access. */
const UNAVAILABLE_ERRNOS = new Set([
  1021, 1037, 1040, 1041, 1044, 1045, 1049, 1053, 1114, 1129, 1130, 1203, 1226, 1290, 1317, 1792, 1836, 1927,
  3100, 4031,
]);

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'POOL_CLOSED',
  'HANDSHAKE_NO_SSL_SUPPORT',
]);

/** mysql2 gives these without any code. */
const UNAVAILABLE_MESSAGES =
  /closed state|Queue limit reached|Pool is closed|Connection lost|before initial handshake/i;

type DriverError = { errno?: unknown; code?: unknown; message?: unknown; driverError?: DriverError };

function errnoOf(error: unknown): number | undefined {
  const { errno, driverError } = (error ?? {}) as DriverError;
  if (typeof errno === 'number') return errno;
  return driverError ? errnoOf(driverError) : undefined;
}

export function isDuplicateEntry(error: unknown, keyName?: string): boolean {
  if (errnoOf(error) !== DUPLICATE_ENTRY) return false;
  if (keyName === undefined) return true;
  // MySQL writes 'table.key', MariaDB 'key'; only the end of the text is fixed.
  const message = String((error as Error).message);
  return message.endsWith(`'${keyName}'`) || message.endsWith(`.${keyName}'`);
}

/** True when the schema is not there yet. */
export function isTableMissing(error: unknown): boolean {
  return errnoOf(error) === NO_SUCH_TABLE;
}

/** Somebody else held a row for as long as this one waits: nothing was changed, and the same again may succeed. */
export function isLockWaitTimeout(error: unknown): boolean {
  return errnoOf(error) === LOCK_WAIT_TIMEOUT;
}

export function isRetryableTransaction(error: unknown): boolean {
  return RETRYABLE_ERRNOS.has(errnoOf(error) ?? 0);
}

/** True when the fault is the server or the way to it, and not what was asked: another try later may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof DeadlineExceeded) return true;
  if (error instanceof DomainError) return error.code === DATABASE_UNAVAILABLE;
  const errno = errnoOf(error);
  if (errno !== undefined && errno > 0) return UNAVAILABLE_ERRNOS.has(errno);
  const { code, message } = (error ?? {}) as DriverError;
  if (typeof code === 'string' && UNAVAILABLE_CODES.has(code)) return true;
  return typeof message === 'string' && UNAVAILABLE_MESSAGES.test(message);
}

export function databaseUnavailable(): DomainError {
  return new DomainError(
    'database_unavailable',
    'unavailable',
    'The database is away; try again in a few seconds.',
  );
}

/** Too long, out of range, not JSON, wrong character set, null, failed check: this row will never be taken. */
const DATA_REJECTION_ERRNOS = new Set([1048, 1264, 1265, 1292, 1300, 1366, 1406, 3140, 3144, 3819, 4025]);

/** True when MySQL refused what the row says, so that trying again is useless. */
export function isDataRejection(error: unknown): boolean {
  return DATA_REJECTION_ERRNOS.has(errnoOf(error) ?? 0);
}
