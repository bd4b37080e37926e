import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, runLogged } from './command.mjs';
import { findFreePort, greets, isFree } from './ports.mjs';
import { commandLineOf, endProcess } from './processes.mjs';
import { getServerPrograms } from './server-programs.mjs';
import { untilExit } from './shutdown.mjs';
import { Trouble } from './terminal.mjs';

const LOOPBACK = '127.0.0.1';
/** A clean stop writes what is in memory to disk; long enough for a slow one after a bench run. */
const STOP_GRACE_MS = 30_000;
/** Also covers crash recovery after a kill -9, which replays the log first. */
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 50;
/** The port may be taken between choosing it and listening on it. */
const START_ATTEMPTS_MAX = 3;
/** The kernel allows 108 bytes with the closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const BINLOG_KEEP_SECONDS = 3 * 24 * 3600;

/**
 * Starts a MariaDB or MySQL server of this checkout's own, on the loopback only, root without a password.
 * Without `dir` everything is in a temporary folder that goes with the server.
 * @param {object} [options]
 * @param {string} [options.dir] the folder for its data and log; a stopped server's data are found again
 * @param {number} [options.port] otherwise the one of last time, or a free one
 * @param {'mariadb' | 'mysql'} [options.kind] whichever is found first when absent
 * @param {boolean} [options.durable] keep commits across a power failure, with a row binlog; tests do without
 * @param {string} [options.database] created when absent
 * @throws {Trouble} when there is no server here or it does not start
 */
export async function startPrivateServer({ dir, port, kind, durable = false, database } = {}) {
  const programs = await getServerPrograms(kind);
  const throwAway = dir === undefined;
  const home = throwAway ? mkdtempSync(join(tmpdir(), 'wxpay-db-')) : resolve(dir);
  mkdirSync(home, { recursive: true });
  const files = filesIn(home);
  const removeHome = () => throwAway && rmSync(home, { recursive: true, force: true });
  const forgetHome = untilExit({ stop: removeHome, kill: removeHome });
  const clear = () => {
    forgetHome();
    removeHome();
  };
  try {
    await endLeftOver(files);
    await initialiseOnce(programs, files);
    const server = await startWithRetries({ programs, files, durable, database }, port);
    return handle(server, { label: programs.label, files, clear });
  } catch (error) {
    clear();
    throw error;
  }
}

function filesIn(home) {
  return {
    home,
    data: join(home, 'data'),
    log: join(home, 'server.log'),
    initLog: join(home, 'init.log'),
    pid: join(home, 'server.pid'),
    port: join(home, 'server.port'),
    init: join(home, 'init.sql'),
  };
}

/** A start that was killed leaves its server behind: exactly that one is ended, told by its own data folder. */
async function endLeftOver(files) {
  if (!existsSync(files.pid)) return;
  const pid = Number(readFileSync(files.pid, 'utf8'));
  const isOurs = pid > 1 && commandLineOf(pid).includes(`--datadir=${files.data} `);
  if (isOurs) await endProcess(pid, STOP_GRACE_MS);
  rmSync(files.pid, { force: true });
}

/** The folder gets its name only when it is complete: an interrupted initialisation is done anew. */
async function initialiseOnce({ kind, server, installer }, files) {
  if (existsSync(files.data)) return;
  const unfinished = `${files.data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const common = ['--no-defaults', ...asRoot(), `--datadir=${unfinished}`];
  if (kind === 'mariadb') {
    const options = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
    await runLogged(files.initLog, installer, [...common, ...options]);
  } else {
    await runLogged(files.initLog, server, [...common, '--initialize-insecure']);
  }
  renameSync(unfinished, files.data);
}

/** Both servers refuse to run as root unless told so. */
const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

async function startWithRetries(setting, wantedPort) {
  for (let attempt = 1; ; attempt += 1) {
    const port = wantedPort ?? (await choosePort(setting.files));
    const started = await startOnce(setting, port);
    if (started) return started;
    const log = readFileSync(setting.files.log, 'utf8');
    const isPortTaken = /address already in use|port: \d+ \?/i.test(log);
    if (!isPortTaken || wantedPort !== undefined || attempt === START_ATTEMPTS_MAX) {
      throw new Trouble(
        `${lastLines(log)}\n\nThe private database server did not start; its log is ${setting.files.log}`,
      );
    }
  }
}

/** The port of last time, so that a client's saved connection still works tomorrow. */
async function choosePort(files) {
  const remembered = existsSync(files.port) ? Number(readFileSync(files.port, 'utf8')) : 0;
  const port =
    remembered > 0 && (await isFree(remembered, LOOPBACK)) ? remembered : await findFreePort(LOOPBACK);
  writeFileSync(files.port, String(port));
  return port;
}

/** @returns the running server once it answers, or undefined when it ended instead */
async function startOnce({ programs, files, durable, database }, port) {
  const socketDir = chooseSocketDir(files.home);
  writeFileSync(files.init, initialSql(programs.kind, database));
  const options = [
    ...commonOptions({ files, port, socketDir }),
    ...kindOptions(programs.kind),
    ...durabilityOptions(durable, { kind: programs.kind, data: files.data }),
    `--init-file=${files.init}`,
  ];
  const log = openSync(files.log, 'w');
  // A process group of its own: Ctrl-C in the terminal must reach the application first, and the server after it.
  const child = spawn(programs.server, options, {
    cwd: files.home,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise((done) => {
    child.once('close', done);
    child.once('error', done); // it could not be run at all: told below, where it is not ready
  });
  const server = { child, port, socketDir, home: files.home, exited };
  server.forget = untilExit({
    stop: () => end(server),
    kill: () => isRunning(child) && child.kill('SIGKILL'),
  });
  if (await isReady(child, { port, log: files.log })) return server;
  await end(server);
  return undefined;
}

const isRunning = (child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

async function isReady(child, { port, log }) {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (isRunning(child) && performance.now() < deadlineMs) {
    const saysSo = readFileSync(log, 'utf8').includes('ready for connections');
    if (saysSo && (await greets(port, LOOPBACK))) return true;
    await sleep(READY_POLL_MS);
  }
  return false;
}

async function end({ child, socketDir, home, exited, forget }) {
  forget();
  if (isRunning(child)) await endProcess(child.pid, STOP_GRACE_MS);
  await exited;
  if (socketDir !== home) rmSync(socketDir, { recursive: true, force: true });
}

/** Run by the server itself before it listens, one statement a line; so no client program is needed. */
function initialSql(kind, database) {
  const lines = database ? [`CREATE DATABASE IF NOT EXISTS \`${database}\` CHARACTER SET utf8mb4;`] : [];
  if (kind === 'mysql') {
    // MySQL makes only root@localhost, and without name resolution 127.0.0.1 is not localhost.
    lines.push(`CREATE USER IF NOT EXISTS 'root'@'${LOOPBACK}';`);
    lines.push(`GRANT ALL PRIVILEGES ON *.* TO 'root'@'${LOOPBACK}' WITH GRANT OPTION;`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function chooseSocketDir(home) {
  const isShort = Buffer.byteLength(join(home, 'socket')) <= SOCKET_PATH_BYTES_MAX;
  return isShort ? home : mkdtempSync(join(tmpdir(), 'wxpay-'));
}

function commonOptions({ files, port, socketDir }) {
  return [
    '--no-defaults',
    ...asRoot(),
    `--datadir=${files.data}`,
    `--pid-file=${files.pid}`,
    `--socket=${join(socketDir, 'socket')}`,
    `--bind-address=${LOOPBACK}`,
    `--port=${port}`,
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    '--default-time-zone=+00:00',
  ];
}

/** MySQL opens a second port and wants a folder for file imports unless told otherwise. */
const kindOptions = (kind) => (kind === 'mysql' ? ['--mysqlx=OFF', '--secure-file-priv=NULL'] : []);

function durabilityOptions(durable, { kind, data }) {
  if (!durable) return ['--skip-log-bin', '--innodb-flush-log-at-trx-commit=0'];
  return [
    '--server-id=1',
    `--log-bin=${join(data, 'binlog')}`,
    `--binlog-expire-logs-seconds=${BINLOG_KEEP_SECONDS}`,
    ...(kind === 'mariadb' ? ['--binlog-format=ROW', '--sync-binlog=1'] : []), // MySQL has no other default, and warns about the option
  ];
}

function handle(server, { label, files, clear }) {
  return {
    host: LOOPBACK,
    port: server.port,
    url: `mysql://root@${LOOPBACK}:${server.port}`,
    pid: server.child.pid,
    label,
    logFile: files.log,
    /** Settles when the server has ended, for whatever reason. */
    exited: server.exited,
    async stop() {
      await end(server);
      clear();
    },
  };
}
