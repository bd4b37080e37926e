import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATA_DIR, runScript, say, untilExit } from '../test/faults/run/library.ts';
import { HELP, readOptions } from '../test/faults/run/options.ts';
import { formatTable, replayCommand } from '../test/faults/run/report.ts';
import { runSeed } from '../test/faults/run/run.ts';
import type { RunResult } from '../test/faults/run/run.ts';
import { FaultServer } from '../test/faults/run/server.ts';
import { makeRunDir } from '../test/faults/run/world.ts';
import { killBackends } from '../test/support/process.ts';

const PROGRESS_EVERY_MS = 10_000;
let saidAtMs = 0;

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  const serverDir = mkdtempSync(join(tmpdir(), 'wxpay-faults-'));
  const removeDir = () => rmSync(serverDir, { recursive: true, force: true });
  untilExit({ stop: removeDir, kill: removeDir });
  const server = await FaultServer.start(options.server, serverDir);
  untilExit({ stop: killBackends, kill: () => void killBackends() });
  say(`${server.label} in a temporary folder; ${options.runs} runs from seed ${options.seed}`);
  const results: RunResult[] = [];
  for (let run = 0; run < options.runs; run += 1) {
    const seed = options.seed + run;
    const dir = makeRunDir(join(DATA_DIR, 'faults'), `${options.server}-${seed}`);
    const { only, kills, keep } = options;
    const result = await runSeed({ seed, only, kills, keep, server, dir, say: showProgress });
    results.push(result);
    say(describeRun(result));
    for (const finding of result.findings) say(`  FOUND: ${finding}`);
    if (result.findings.length > 0)
      say(`  The evidence is in ${dir}. The same plan again:\n  ${replayCommand(result, options)}`);
  }
  say(`\n${formatTable(results)}`);
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify(results, null, 2)}\n`);
  return results.some(({ findings }) => findings.length > 0) ? 1 : 0;
});

/** One line that changes on a terminal; in a log a line now and then. */
function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K  ${text}`);
  else if (performance.now() - saidAtMs >= PROGRESS_EVERY_MS) {
    say(`  ${text}`);
    saidAtMs = performance.now();
  }
}

function describeRun(result: RunResult): string {
  const kills = Object.values(result.kills).reduce((sum, count) => sum + count, 0);
  const verdict = result.findings.length === 0 ? 'nothing found' : `${result.findings.length} FOUND`;
  const notRun = Object.entries(result.notRun).map(([what, why]) => `; NOT RUN: ${what}, because ${why}`);
  return `${process.stdout.isTTY ? '\r\x1b[K' : ''}seed ${result.seed}: ${result.faults.join(',')}: ${kills} kills, ${result.messages} messages, ${result.orders} orders, ${result.seconds} s (${result.quietSeconds} s to rest): ${verdict}${notRun.join('')}`;
}
