import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { answers, APP_LOG, endLeftOverApplication, startApplication } from './lib/application.mjs';
import { ensureSecret, readEnvironment } from './lib/dot-env.mjs';
import { tryLock } from './lib/locks.mjs';
import { DATA_DIR, ROOT } from './lib/paths.mjs';
import { findFreePort, isFree } from './lib/ports.mjs';
import { startPrivateServer } from './lib/private-server.mjs';
import { readRuntime, removeRuntime, writeRuntime } from './lib/runtime-file.mjs';
import { getServerPrograms } from './lib/server-programs.mjs';
import { isStopping, runScript, untilExit } from './lib/shutdown.mjs';
import { say, Trouble, withProgress } from './lib/terminal.mjs';
import { compile, installTools } from './lib/toolchain.mjs';

const HELP = `npm start [-- --verbose]

Sets up whatever is missing (packages, Node 24, a private database server, the compiled backend, a development
secret in .env) and serves on http://localhost:8080 until Ctrl-C.

  --verbose   shows the whole log here; otherwise only warnings and errors, and all of it in .data/logs/app.log
  --help      shows this

Settings come from the environment and from .env; .env.example explains each. The most useful ones here:
  PORT=8081   another port
  DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME   a database of yours instead of the private one in .data/mysql`;

const DEFAULT_PORT = '8080';
const WILDCARD_HOSTS = ['0.0.0.0', '::'];
const LIVE_WITHIN_MS = 60_000;
/** Our own server was seen to answer, and may have the whole schema to create. */
const PRIVATE_READY_WITHIN_MS = 30_000;
/** Somebody's server may be away for long, which is no reason to wait. */
const GIVEN_READY_WITHIN_MS = 5_000;
const SIGNAL_EXIT_CODE = 128;

await runScript(start, { isMeantToBeStopped: true });

async function start() {
  const { values: options } = parseArguments();
  if (options.help) {
    say(HELP);
    return 0;
  }
  if (!tryLock('start.lock')) {
    throw new Trouble(
      'The backend of this checkout is running already: stop that one first (Ctrl-C in its terminal).',
    );
  }
  const previous = readRuntime();
  if (previous) await endLeftOverApplication(previous.appPid);

  const env = readEnvironment(join(ROOT, '.env'));
  const address = await chooseAddress(env);
  if (!env.DB_HOST) await getServerPrograms(); // whoever has none hears it now, not after the long steps
  const tools = await installTools();
  await compile(tools);
  const isSecretNew = ensureSecret(join(ROOT, '.env'), env);
  env.SPOOL_DIR ||= join(DATA_DIR, 'spool');
  const database = env.DB_HOST ? givenDatabase(env) : await startDatabase();
  const app = startApplication({
    env: appEnvironment({ env, tools, address, db: database.db }),
    verbose: options.verbose,
  });
  untilExit({ stop: removeRuntime, kill: removeRuntime });
  writeRuntime({ baseUrl: address.probeUrl, appPid: app.pid, db: database.db });
  if (await isUp(app, { address, readyWithinMs: database.readyWithinMs })) {
    introduce({ address, database, isSecretNew, spoolDir: env.SPOOL_DIR });
  }
  const end = await app.finished;
  return isStopping() ? 0 : explainEnd(end, app);
}

/** Waits until it listens, and then for its database: without one it serves as well, and is introduced all the same. */
async function isUp({ isRunning }, { address, readyWithinMs }) {
  const isLive = await answers(`${address.probeUrl}/health/live`, { isRunning, withinMs: LIVE_WITHIN_MS });
  if (!isLive) return false;
  const isReady = await answers(`${address.probeUrl}/health/ready`, { isRunning, withinMs: readyWithinMs });
  if (!isReady && isRunning()) say(`Its database is not ready yet: ${address.url}/health/ready tells more.`);
  return isRunning() && !isStopping();
}

function parseArguments() {
  try {
    return parseArgs({
      options: { verbose: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new Trouble(`${error.message}\nSee npm start -- --help`, { cause: error });
  }
}

/** Where the backend will listen, and where it can be reached from here. */
async function chooseAddress(env) {
  const text = env.PORT || DEFAULT_PORT;
  const host = env.HOST || WILDCARD_HOSTS[0];
  if (!/^\d+$/.test(text) || Number(text) > 65_535)
    throw new Trouble(`PORT must be a port number, not "${text}".`);
  const port = text === '0' ? await findFreePort(host) : Number(text);
  if (!(await isFree(port, host))) {
    throw new Trouble(
      `Port ${port} is taken by another program: stop that one, or choose another port (PORT=8081 npm start).`,
    );
  }
  const isWildcard = WILDCARD_HOSTS.includes(host);
  const urlOf = (name) => `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  return {
    port,
    url: urlOf(isWildcard ? 'localhost' : host),
    probeUrl: urlOf(isWildcard ? '127.0.0.1' : host),
  };
}

function givenDatabase(env) {
  const port = Number(env.DB_PORT || 3306);
  const db = {
    host: env.DB_HOST,
    port,
    user: env.DB_USER ?? '',
    password: env.DB_PASSWORD ?? '',
    name: env.DB_NAME ?? '',
  };
  return {
    db,
    description: `${db.user}@${db.host}:${db.port}/${db.name} (from DB_HOST)`,
    readyWithinMs: GIVEN_READY_WITHIN_MS,
  };
}

async function startDatabase() {
  const name = 'wxpay';
  const dir = join(DATA_DIR, 'mysql');
  const start = () => startPrivateServer({ dir, durable: true, database: name });
  const server = await withProgress('Starting the private database server', start);
  server.exited.then(() => {
    if (isStopping()) return;
    say(
      `The private database server has ended by itself (its log: ${server.logFile}). The backend goes on without it.`,
    );
  });
  const db = { host: server.host, port: server.port, user: 'root', password: '', name };
  return {
    db,
    description: `private ${server.label} on ${db.host}:${db.port}, database ${name}, user root, no password`,
    readyWithinMs: PRIVATE_READY_WITHIN_MS,
  };
}

function appEnvironment({ env, tools, address, db }) {
  return {
    ...env,
    PATH: tools.PATH,
    NODE_ENV: env.NODE_ENV || 'development',
    PORT: String(address.port),
    DB_HOST: db.host,
    DB_PORT: String(db.port),
    DB_USER: db.user,
    DB_PASSWORD: db.password,
    DB_NAME: db.name,
  };
}

function introduce({ address, database, isSecretNew, spoolDir }) {
  const place = (file) => relative(ROOT, resolve(ROOT, file));
  say(`
wxpay-backend serves on ${address.url}
  database  ${database.description}
  spool     ${place(spoolDir)} (what is accepted while the database is away)
  log       ${place(APP_LOG)} (warnings and errors also here)
  secret    INTERNAL_API_SECRET in .env${isSecretNew ? ', made just now for development' : ''}

Try next
  curl ${address.url}/api/prices/current
  npm run simulate      plays the cloud functions against this backend
  README.md             tells the story of one payment

Ctrl-C stops the backend, then its database.
`);
}

function explainEnd({ code, signalName }, app) {
  const how = signalName ? `by signal ${signalName}` : `with exit code ${code}`;
  process.stderr.write(
    `${app.notShownYet()}\n\nThe backend ended ${how}; its log is ${relative(ROOT, APP_LOG)}\n`,
  );
  return code ?? SIGNAL_EXIT_CODE;
}
