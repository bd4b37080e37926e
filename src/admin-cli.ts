import { runAdminCommand } from './admin/tokens.cli.js';

/** `npm run admin`, and `node dist/src/admin-cli.js` where there is no npm: one command, and the process ends. */
try {
  await runAdminCommand(process.argv.slice(2), {
    env: process.env,
    out: (text) => console.log(text),
    tell: (text) => console.error(text),
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
