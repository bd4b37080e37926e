import { runChecks, STATIC_CHECKS } from './lib/checks.mjs';
import { greets } from './lib/ports.mjs';
import { startPrivateServer } from './lib/private-server.mjs';
import { getServerPrograms } from './lib/server-programs.mjs';
import { isStopping, runScript } from './lib/shutdown.mjs';
import { reportTrouble, say, Trouble, withProgress } from './lib/terminal.mjs';
import { runTests } from './lib/test-run.mjs';
import { compile, installTools } from './lib/toolchain.mjs';

const HELP = `npm test [-- [--server-only] [arguments of vitest]]

Sets up whatever is missing, then runs format, lint, import rules, unused code, types, build and all tests
on a private database server that is thrown away afterwards. The last line is \`N passed, N failed\`.

  npm test -- test/e2e       some tests only, without the checks before them (any arguments of vitest)
  npm test -- --server-only  only the tests that talk to a database server
  TEST_DB_URL=mysql://user:password@host:port npm test   on a server of yours (its user must create databases)`;

const SERVER_ONLY = '--server-only';
const SERVER_PROJECTS = ['integration', 'e2e', 'faults'];
const MYSQL_PORT = 3306;

await runScript(async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    say(HELP);
    return 0;
  }
  const { passed, failed, skipped } = await counted(() => setUpAndTest(args));
  if (skipped > 0) say(`${skipped} skipped`);
  say(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
});

/** Whatever stops the run before the tests is a failure in the closing line, too. */
async function counted(work) {
  try {
    return await work();
  } catch (error) {
    if (!isStopping()) reportTrouble(error);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function setUpAndTest(args) {
  const isServerOnly = args.includes(SERVER_ONLY);
  const vitestArgs = args.filter((arg) => arg !== SERVER_ONLY);
  if (!process.env.TEST_DB_URL) await getServerPrograms(); // whoever has none hears it now, not after the long steps
  const tools = await installTools();
  if (args.length === 0) {
    const failed = await runChecks(STATIC_CHECKS, tools);
    if (failed) throw new Trouble(`${failed} failed: no test was run. Alone: npm run ${failed}`);
  }
  await compile(tools);
  const url = process.env.TEST_DB_URL ? await givenServer(process.env.TEST_DB_URL) : await startServer();
  const projects = isServerOnly ? SERVER_PROJECTS.flatMap((name) => ['--project', name]) : [];
  return runTests([...projects, ...vitestArgs], { ...tools, TEST_DB_URL: url });
}

async function givenServer(text) {
  if (!URL.canParse(text)) throw new Trouble('TEST_DB_URL must look like mysql://user:password@host:port');
  const { hostname, port } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, ''); // an IPv6 address is bracketed in a URL only
  const address = `${hostname}:${port || MYSQL_PORT}`;
  if (!(await greets(Number(port || MYSQL_PORT), host)))
    throw new Trouble(`TEST_DB_URL: no server answers at ${address}.`);
  say(`Tests use the server at ${address}`);
  return text;
}

async function startServer() {
  const server = await withProgress('Starting a database server for the tests', () => startPrivateServer());
  say(`Tests use a private ${server.label} on port ${server.port}`);
  return server.url;
}
