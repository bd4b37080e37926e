import { join } from 'node:path';
import { startCommand } from './lib/command.mjs';
import { readEnvironment } from './lib/dot-env.mjs';
import { ROOT } from './lib/paths.mjs';
import { readRuntime } from './lib/runtime-file.mjs';
import { runScript } from './lib/shutdown.mjs';
import { Trouble } from './lib/terminal.mjs';
import { compile, installTools } from './lib/toolchain.mjs';

/** `npm run admin`: the compiled command line, on the database of the environment or the one that `npm start` runs. */
await runScript(async () => {
  const args = process.argv.slice(2);
  const env = readEnvironment(join(ROOT, '.env'));
  const needsDatabase = args.length > 0 && !args.includes('--help') && !args.includes('-h');
  const database = needsDatabase && !env.DB_HOST ? startedDatabase() : {};
  const tools = await installTools();
  await compile(tools);
  const { finished } = startCommand(
    'node',
    ['--enable-source-maps', join('dist', 'src', 'admin-cli.js'), ...args],
    {
      env: { ...env, ...database, PATH: tools.PATH },
      stdio: 'inherit',
    },
  );
  return finished;
});

function startedDatabase() {
  const runtime = readRuntime();
  if (!runtime) {
    throw new Trouble(
      'No backend is running here, and DB_HOST is not set: run `npm start` in another terminal, or say which database.',
    );
  }
  const { host, port, user, password, name } = runtime.db;
  return { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, DB_NAME: name };
}
