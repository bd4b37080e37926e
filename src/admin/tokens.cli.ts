import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { AuditRepository } from '../platform/audit/audit.repository.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { loadDatabaseConfig } from '../platform/config/app-config.js';
import type { Env } from '../platform/config/env-reader.js';
import { isTableMissing } from '../platform/database/database-error.js';
import { openUnitOfWork } from '../platform/database/standalone.js';
import { Clock } from '../shared/clock.js';
import type { Actor } from '../shared/actor.js';
import { ROLES } from './permissions.js';
import type { Role } from './permissions.js';
import { TokensRepository } from './tokens.repository.js';
import { TokensService } from './tokens.service.js';
import { TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX } from './tokens.types.js';
import type { TokenPosition } from './tokens.types.js';

const HELP = `npm run admin -- token create --name NAME --role ROLE [--expires WHEN]
npm run admin -- token list
npm run admin -- token revoke ID-OR-NAME

Tokens open the admin API: curl -H "Authorization: Bearer wxadm_…" http://localhost:8080/api/admin/…

  create   makes a token and shows it this once; only its hash is stored
             --name NAME      who holds it; the audit log names them so
             --role ROLE      ${ROLES.join(', ')}: each may all that the ones before it may
             --expires WHEN   30d or 2027-01-01 (UTC); ${TOKEN_DAYS_DEFAULT}d when it is left out, ${TOKEN_DAYS_MAX}d at most
  list     shows all tokens, the newest first
  revoke   ends a token at once, in every process

It works on the database of DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME, from the environment or .env; without
DB_HOST on the one that \`npm start\` runs. In a container: node dist/src/admin-cli.js token …`;

const PAGE_SIZE = 200;
/** More lines than anybody reads; a shop has a handful of tokens. */
const PAGES_MAX = 50;
const COLUMN_GAP = '  ';

/** Something the person at the terminal can mend; shown without a stack trace. */
class UsageError extends Error {}

export type Terminal = {
  readonly env: Env;
  /** What a script may want to read: the token, the list. */
  out(text: string): void;
  /** What is for people. */
  tell(text: string): void;
};

type Command = {
  readonly help: boolean;
  readonly words: readonly string[];
  readonly options: { readonly name?: string; readonly role?: string; readonly expires?: string };
};

/** `npm run admin`: the way to the first token, and back in when no admin token is left. @throws UsageError, DomainError */
export async function runAdminCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { help, words, options } = read(args);
  if (help || words.length === 0) {
    terminal.out(HELP);
    return;
  }
  const [subject, verb, ...rest] = words;
  const run = subject === 'token' && verb !== undefined ? COMMANDS.get(verb) : undefined;
  if (!run) throw new UsageError(`There is no command "${words.join(' ')}". See npm run admin -- --help`);
  const work = run(rest, options, terminal);
  const database = loadDatabaseConfig(terminal.env);
  const place = `${database.name} on ${database.host}:${database.port}`;
  const { unitOfWork, close } = await openUnitOfWork(database).catch((error: unknown) => {
    throw new UsageError(`The database ${place} cannot be reached: ${reasonOf(error)}`, { cause: error });
  });
  try {
    const audit = new AuditService(new AuditRepository(), unitOfWork);
    await work(new TokensService(unitOfWork, new TokensRepository(), audit, new Clock()));
  } catch (error) {
    if (!isTableMissing(error)) throw error;
    throw new UsageError(
      `The database ${place} has no tables of this backend yet: start the backend once, or npm run migrate.`,
      { cause: error },
    );
  } finally {
    await close();
  }
}

/** A refused connection to several addresses of a host has a code and an empty message. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return message || code || String(error);
}

type Work = (tokens: TokensService) => Promise<void>;
type Runner = (words: readonly string[], options: Command['options'], terminal: Terminal) => Work;

// Each checks what was typed before the database is asked.

const create: Runner = (words, options, terminal) => {
  expectWords(words, 0, 'token create --name NAME --role ROLE [--expires WHEN]');
  const { name, expires } = options;
  const role = ROLES.find((candidate) => candidate === options.role);
  if (name === undefined) throw new UsageError('Say who will hold the token: --name anna');
  if (!role) throw new UsageError(`Say what it may: --role ${ROLES.join(', --role ')}`);
  const wanted = { name, role, expires: readExpiry(expires) };
  return async (tokens) => {
    const { record, token } = await tokens.create(wanted, { by: operator(), role: HIGHEST_ROLE });
    terminal.tell(`${record.id}: ${record.name} is ${record.role} until ${record.expiresAt.toISOString()}.`);
    terminal.tell('Keep the token now, it is not shown again:');
    terminal.out(token);
  };
};

const list: Runner = (words, options, terminal) => {
  expectWords(words, 0, 'token list');
  refuseOptions(options);
  return async (tokens) => {
    const lines = await listAll(tokens);
    terminal.out(lines.length > 1 ? toTable(lines) : 'There is no token yet: npm run admin -- token create');
  };
};

const revoke: Runner = (words, options, terminal) => {
  expectWords(words, 1, 'token revoke ID-OR-NAME');
  refuseOptions(options);
  return async (tokens) => {
    const token = await tokens.revokeNamed(words[0] ?? '', operator());
    terminal.tell(
      `${token.id} (${token.name}, ${token.role}) is revoked since ${token.revokedAt?.toISOString()}.`,
    );
  };
};

const COMMANDS: ReadonlyMap<string, Runner> = new Map([
  ['create', create],
  ['list', list],
  ['revoke', revoke],
]);

/** Whoever can write to the database may make any token. */
const HIGHEST_ROLE: Role = 'admin';

function operator(): Actor {
  return { name: `cli:${userInfo().username}` };
}

function read(args: readonly string[]): Command {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        role: { type: 'string' },
        expires: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return { help: values.help, words: positionals, options: values };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee npm run admin -- --help`, { cause: error });
  }
}

function readExpiry(text = `${TOKEN_DAYS_DEFAULT}d`): { inDays: number } | { at: Date } {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  if (days !== undefined) return { inDays: Number(days) };
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00.000Z`) : new Date(Number.NaN);
  // The 30th of February becomes a day of March.
  if (!Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)) return { at };
  throw new UsageError(`--expires must look like 30d or 2027-01-01, not "${text}"`);
}

function expectWords(words: readonly string[], count: number, usage: string): void {
  if (words.length !== count) throw new UsageError(`Use it like this: npm run admin -- ${usage}`);
}

function refuseOptions({ name, role, expires }: Command['options']): void {
  if (name !== undefined || role !== undefined || expires !== undefined) {
    throw new UsageError('--name, --role and --expires belong to "token create".');
  }
}

async function listAll(tokens: TokensService): Promise<string[][]> {
  const lines = [['ID', 'NAME', 'ROLE', 'STATE', 'EXPIRES', 'LAST USED', 'MADE BY']];
  let after: TokenPosition | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const { items, next }: Awaited<ReturnType<TokensService['list']>> = await tokens.list({
      after,
      limit: PAGE_SIZE,
    });
    for (const token of items) {
      const { id, name, role, createdBy } = token;
      const day = (time: Date | null) => time?.toISOString().slice(0, 16).replace('T', ' ') ?? 'never';
      lines.push([
        id,
        name,
        role,
        tokens.stateOf(token),
        day(token.expiresAt),
        day(token.lastUsedAt),
        createdBy,
      ]);
    }
    if (next === null) break;
    after = next;
  }
  return lines;
}

function toTable(lines: readonly string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(COLUMN_GAP)
        .trimEnd(),
    )
    .join('\n');
}
