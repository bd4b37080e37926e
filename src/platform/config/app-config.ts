import { Money } from '../../shared/money.js';
import { EnvReader } from './env-reader.js';
import type { Env } from './env-reader.js';
import { readRefunds } from './refund-config.js';
import type { RefundConfig } from './refund-config.js';
import { readNotices } from './notices-config.js';
import type { NoticesConfig } from './notices-config.js';
import { readSecret } from './secret-reader.js';
import { readWechatpay } from './wechatpay-config.js';
import type { WechatpayConfig } from './wechatpay-config.js';

export type DatabaseConfig = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  readonly ssl: 'off' | 'on' | 'insecure';
  readonly poolSize: number;
  readonly migrate: boolean;
};

/** Everything the process is told from outside, validated once at boot. */
export class AppConfig {
  readonly role!: 'all' | 'api' | 'worker';
  readonly http!: {
    readonly host: string;
    readonly port: number;
    /** How many proxies stand in front; the caller's address is read that many entries from the end of X-Forwarded-For. */
    readonly trustProxyHops: number;
    /** Beyond so many open connections those go that wait longest for their client. */
    readonly connectionsMax: number;
  };
  readonly logLevel!: string;
  /** Whether /docs is served. */
  readonly apiDocs!: boolean;
  readonly database!: DatabaseConfig;
  readonly spool!: { readonly dir: string; readonly sizeMbMax: number };
  /** The accepted secrets, the current one first; a second one only while a rotation is under way. */
  readonly internalSecrets!: readonly string[];
  readonly fallbackPrices!: { readonly basic: Money; readonly premium: Money };
  readonly regenerateCredits!: { readonly basic: number; readonly premium: number };
  /** How long a paid notice waits for its order before an operator is told. */
  readonly orderWaitMinutes!: number;
  /** How long error logs are kept. */
  readonly errorLogDays!: number;
  /** Null: WeChat Pay is not asked and its callbacks are refused. */
  readonly wechatpay!: WechatpayConfig | null;
  readonly refunds!: RefundConfig;
  /** Who is told about payments, each channel null when it is not used. */
  readonly notices!: NoticesConfig;
  /** When an unpaid order is closed at WeChat Pay, and failed then. A prepay lives two hours. */
  readonly paymentDeadlineMinutes!: number;
}

/** @throws Error naming every bad variable, in words for the person who starts the process */
export function loadConfig(env: Env): AppConfig {
  const read = new EnvReader(env);
  const wechatpay = readWechatpay(read);
  const config: AppConfig = Object.assign(new AppConfig(), {
    role: read.oneOf('ROLE', ['all', 'api', 'worker'], 'all'),
    http: {
      host: read.text('HOST', '0.0.0.0'),
      port: read.integer('PORT', { fallback: 8080, min: 0, max: 65_535 }),
      trustProxyHops: read.integer('TRUST_PROXY_HOPS', { fallback: 0, min: 0, max: 10 }),
      connectionsMax: read.integer('CONNECTIONS_MAX', { fallback: 1_000, min: 100, max: 50_000 }),
    },
    logLevel: read.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    apiDocs: read.oneOf('API_DOCS', ['on', 'off'], 'on') === 'on',
    database: readDatabase(read),
    spool: {
      dir: read.text('SPOOL_DIR', '.data/spool'),
      sizeMbMax: read.integer('SPOOL_SIZE_MB_MAX', { fallback: 1024, min: 1, max: 1_048_576 }),
    },
    internalSecrets: readSecrets(read),
    fallbackPrices: {
      basic: read.parsed('FALLBACK_PRICE_BASIC', '0.01', positivePrice),
      premium: read.parsed('FALLBACK_PRICE_PREMIUM', '29.90', positivePrice),
    },
    regenerateCredits: {
      basic: read.integer('REGENERATE_CREDITS_BASIC', { fallback: 5, min: 0, max: 10_000 }),
      premium: read.integer('REGENERATE_CREDITS_PREMIUM', { fallback: 20, min: 0, max: 10_000 }),
    },
    wechatpay,
    refunds: readRefunds(read, { isWechatpayConfigured: wechatpay !== null }),
    notices: readNotices(read),
    paymentDeadlineMinutes: read.integer('PAYMENT_DEADLINE_MINUTES', { fallback: 120, min: 1, max: 10_080 }),
    errorLogDays: read.integer('ERROR_LOG_DAYS', { fallback: 90, min: 1, max: 3_650 }),
    orderWaitMinutes: read.integer('ORDER_WAIT_MINUTES', { fallback: 60, min: 0, max: 10_080 }),
  });
  throwProblems(read);
  return config;
}

/** For tools that need the database and nothing else. */
export function loadDatabaseConfig(env: Env): DatabaseConfig {
  const read = new EnvReader(env);
  const config = readDatabase(read);
  throwProblems(read);
  return config;
}

function throwProblems({ problems }: EnvReader): void {
  if (problems.length === 0) return;
  // Two features may miss the same variable.
  const lines = [...new Set(problems)].map((line) => `  - ${line}`);
  throw new Error(`The configuration cannot be used:\n${lines.join('\n')}`);
}

function readDatabase(read: EnvReader): DatabaseConfig {
  return {
    host: read.text('DB_HOST'),
    port: read.integer('DB_PORT', { fallback: 3306, min: 1, max: 65_535 }),
    user: read.text('DB_USER'),
    password: read.verbatim('DB_PASSWORD'),
    name: read.text('DB_NAME'),
    ssl: read.oneOf('DB_SSL', ['off', 'on', 'insecure'], 'off'),
    poolSize: read.integer('DB_POOL_SIZE', { fallback: 10, min: 8, max: 200 }),
    migrate: read.oneOf('DB_MIGRATE', ['on', 'off'], 'on') === 'on',
  };
}

function readSecrets(read: EnvReader): string[] {
  const current = readSecret(read, 'INTERNAL_API_SECRET');
  const isRotating = read.optionalText('INTERNAL_API_SECRET_PREVIOUS') !== undefined;
  const previous = isRotating ? readSecret(read, 'INTERNAL_API_SECRET_PREVIOUS') : null;
  return [current, previous].filter((secret) => secret !== null);
}

/** Callers take a price of 0 for "no price" and fall back to their own, so 0 can never be in force. */
function positivePrice(text: string): Money {
  const price = Money.ofYuan(text);
  if (price.isZero()) throw new Error('a price must be more than 0');
  return price;
}
