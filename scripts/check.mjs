import { runChecks, STATIC_CHECKS } from './lib/checks.mjs';
import { runScript } from './lib/shutdown.mjs';
import { say, secondsSince } from './lib/terminal.mjs';
import { installTools } from './lib/toolchain.mjs';

/** `npm run check`: everything that needs no database server. */
await runScript(async () => {
  const tools = await installTools();
  const startedMs = performance.now();
  const failed = await runChecks([...STATIC_CHECKS, 'unit'], tools);
  if (!failed) say(`All checks passed in ${secondsSince(startedMs)}`);
  return failed ? 1 : 0;
});
