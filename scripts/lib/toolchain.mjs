import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findProgram, runLogged, withFirstOnPath, withoutFolder } from './command.mjs';
import { BIN_DIR, LOGS_DIR, ROOT } from './paths.mjs';
import { withSetupLock } from './locks.mjs';
import { Trouble, withProgress } from './terminal.mjs';
import { isAtLeast } from './versions.mjs';

/** What the application needs; the scripts themselves run on any Node from 20 on. */
const APP_NODE_MIN = [24, 11];
const SCRIPT_NODE_MIN = [20, 0];

const DEPENDENCY_FILES = ['package-lock.json', 'package.json'];
const DEPENDENCIES_STAMP = join(ROOT, 'node_modules', '.wxpay-stamp');
const BUILD_FOLDERS = ['src', 'migrations'];
const BUILD_FILES = ['tsconfig.json', 'nest-cli.json', 'package-lock.json'];
const BUILD_STAMP = join(ROOT, 'dist', '.stamp');

/**
 * Brings the installed packages up to date; quick when they are.
 * @returns the environment in which commands run on Node 24 and this checkout's tools
 */
export function installTools() {
  return withSetupLock(async () => {
    requireScriptNode();
    await installDependencies();
    return withFirstOnPath([dirname(findAppNode()), BIN_DIR]);
  });
}

/** Compiles the application when something it is compiled from has changed. */
export function compile(env) {
  return withSetupLock(async () => {
    const sources = BUILD_FOLDERS.flatMap((folder) => sourcesIn(folder));
    const wanted = fingerprint([...BUILD_FILES, ...sources]);
    if (readStamp(BUILD_STAMP) === wanted) return;
    rmSync(BUILD_STAMP, { force: true });
    await withProgress('Compiling', () =>
      runLogged(join(LOGS_DIR, 'build.log'), join(BIN_DIR, 'nest'), ['build'], { env }),
    );
    writeFileSync(BUILD_STAMP, wanted);
  });
}

function requireScriptNode() {
  if (!isAtLeast(process.versions.node, SCRIPT_NODE_MIN)) {
    throw new Trouble(
      `This needs Node ${SCRIPT_NODE_MIN[0]} or newer to begin with; ${process.version} is running it.`,
    );
  }
}

async function installDependencies() {
  const wanted = fingerprint(DEPENDENCY_FILES);
  if (readStamp(DEPENDENCIES_STAMP) === wanted) return;
  // The npm of the machine on the Node of the machine: the one in node_modules is about to be replaced.
  const env = withoutFolder(BIN_DIR);
  const npm = findProgram('npm', env.PATH);
  if (!npm) throw new Trouble('npm was not found on the PATH: install Node 20 or newer together with npm.');
  rmSync(DEPENDENCIES_STAMP, { force: true });
  // NODE_ENV=production in somebody's shell would leave the compiler and the test runner out.
  const include = ['--include=dev', '--include=optional'];
  await withProgress('Installing dependencies (npm ci, about a minute the first time)', () =>
    runLogged(join(LOGS_DIR, 'npm-ci.log'), npm, ['ci', '--no-audit', '--no-fund', ...include], { env }),
  );
  writeFileSync(DEPENDENCIES_STAMP, wanted);
}

function findAppNode() {
  const packaged = join(BIN_DIR, 'node');
  const candidates = [process.execPath, packaged].filter((file) => existsSync(file));
  const found = candidates.find((file) => isAtLeast(versionOf(file), APP_NODE_MIN));
  if (found) return found;
  throw new Trouble(
    `Node ${APP_NODE_MIN.join('.')} or newer is needed, and the packaged one exists only for Linux on x64 and arm64: ` +
      'install Node 24 (.nvmrc names it) and run this again.',
  );
}

const versionOf = (node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);

function sourcesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** One hash over names and contents: what was installed or compiled from exactly this is still good. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
