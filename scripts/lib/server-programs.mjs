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
  await installFromDebian();
  const installed = findServerPrograms(kind);
  if (!installed) throw new Trouble(`The database server that was installed cannot be found: ${WHAT_TO_DO}`);
  return installed;
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

async function installFromDebian() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await withProgress('Installing MariaDB from the packages of this system', async () => {
      await runLogged(join(LOGS_DIR, 'apt-get-update.log'), 'apt-get', ['update'], { env });
      const install = ['install', '-y', '--no-install-recommends', ...DEBIAN_PACKAGES];
      await runLogged(join(LOGS_DIR, 'apt-get-install.log'), 'apt-get', install, { env });
    });
  } catch (error) {
    throw new Trouble(
      `${error.message}

MariaDB could not be installed: ${WHAT_TO_DO}`,
      { cause: error },
    );
  }
}
