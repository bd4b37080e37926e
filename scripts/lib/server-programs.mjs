import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, runLogged } from './command.mjs';
import { LOGS_DIR } from './paths.mjs';
import { Trouble, withProgress } from './terminal.mjs';
import { isAtLeast } from './versions.mjs';

const SERVER_NAMES = ['mariadbd', 'mysqld'];
/** Servers are installed outside an ordinary user's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin', '/usr/libexec'];
const PRODUCTS = {
  mariadb: { name: 'MariaDB', versionMin: [10, 6] },
  mysql: { name: 'MySQL', versionMin: [8, 0] },
};

/** The server alone: the package `mariadb-server` would also start a service of the system on port 3306. */
const DEBIAN_PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];
/** What reads a binary log, by the kind of server that wrote it; Debian has MariaDB's in a package that the server does not need. */
const BINLOG_READERS = { mariadb: ['mariadb-binlog', 'mysqlbinlog'], mysql: ['mysqlbinlog'] };
const BINLOG_READER_PACKAGES = ['mariadb-client'];

const WHAT_TO_DO =
  'install MariaDB 10.6 or MySQL 8.0 or newer (Debian: apt-get install mariadb-server), or use a server you have: ' +
  'set DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME for npm start, TEST_DB_URL=mysql://user:password@host:port for npm test.';

/**
 * The MariaDB or MySQL server of this machine, installed from Debian's packages when there is none and that is possible.
 * @param {'mariadb' | 'mysql'} [kind] one or the other; MySQL may also be a program named in MYSQLD, and is never installed
 * @returns {Promise<{ kind: 'mariadb' | 'mysql', label: string, server: string, installer: string | undefined }>}
 */
export async function getServerPrograms(kind) {
  const found = findServerPrograms(kind);
  if (found) return found;
  if (kind === 'mysql')
    throw new Trouble('No MySQL server was found on this machine: name its mysqld in MYSQLD.');
  if (!canInstall()) throw new Trouble(`No database server was found on this machine: ${WHAT_TO_DO}`);
  await withProgress('Installing MariaDB from the packages of this system', () => install(DEBIAN_PACKAGES));
  const installed = findServerPrograms(kind);
  if (!installed) throw new Trouble(`The database server that was installed cannot be found: ${WHAT_TO_DO}`);
  return installed;
}

/**
 * The program that reads the binary logs of this server, installed as the server is when there is none.
 * @public for the fault runs, which load it by the path of this file
 * @param {{ kind: 'mariadb' | 'mysql', server: string }} programs of {@link getServerPrograms}
 * @returns {Promise<string>}
 */
export async function getBinlogReader({ kind, server }) {
  const find = () =>
    // Beside the server first: on Debian the `mysqlbinlog` of the PATH is MariaDB's.
    BINLOG_READERS[kind]
      .map((name) => findProgram(name, `${dirname(server)}:${process.env.PATH}`))
      .find((program) => program !== undefined);
  const found = find();
  if (found) return found;
  if (kind === 'mariadb' && canInstall()) {
    const what = 'Installing the reader of MariaDB\u2019s binary log from the packages of this system';
    await withProgress(what, () => install(BINLOG_READER_PACKAGES));
  }
  const installed = find();
  if (installed) return installed;
  throw new Trouble(
    `The binary log of ${server} cannot be read: there is no ${BINLOG_READERS[kind].join(' or ')} ` +
      '(Debian, for MariaDB: apt-get install mariadb-client).',
  );
}

function findServerPrograms(kind) {
  const named = kind === 'mysql' && process.env.MYSQLD ? [process.env.MYSQLD] : [];
  const found = SERVER_NAMES.map((name) => findProgram(name, process.env.PATH, SERVER_FOLDERS));
  for (const server of [...named, ...found]) {
    const programs = server && describe(server);
    if (programs && (kind === undefined || programs.kind === kind)) return programs;
  }
  return undefined;
}

/** What a server program is by its own word (on Debian `mysqld` is MariaDB), or undefined when it will not do. */
function describe(server) {
  const told = execFileSync(server, ['--no-defaults', '--version'], { encoding: 'utf8' });
  const version = /\bVer (\d+\.\d+\.\d+)/.exec(told)?.[1];
  const kind = /mariadb/i.test(told) ? 'mariadb' : 'mysql';
  const { name, versionMin } = PRODUCTS[kind];
  if (!version || !isAtLeast(version, versionMin)) return undefined;
  const installer =
    kind === 'mariadb' ? findProgram('mariadb-install-db', process.env.PATH, [dirname(server)]) : undefined;
  if (kind === 'mariadb' && !installer) return undefined;
  return { kind, label: `${name} ${version}`, server, installer };
}

function canInstall() {
  return (
    process.getuid?.() === 0 && existsSync('/etc/debian_version') && findProgram('apt-get') !== undefined
  );
}

async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await runLogged(join(LOGS_DIR, 'apt-get-update.log'), 'apt-get', ['update'], { env });
    await runLogged(join(LOGS_DIR, 'apt-get-install.log'), 'apt-get', args, { env });
  } catch (error) {
    throw new Trouble(
      `${error.message}

${packages.join(' and ')} could not be installed: ${WHAT_TO_DO}`,
      { cause: error },
    );
  }
}
