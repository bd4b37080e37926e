import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATA_DIR, runScript, say, untilExit } from '../test/faults/run/library.ts';
import { proveChecker, toProofTable } from '../test/faults/planted/prove.ts';
import { measureAll } from '../test/faults/run/measure/measure.ts';
import { HELP, readOptions } from '../test/faults/run/options.ts';
import type { Options } from '../test/faults/run/options.ts';
import {
  describeMachine,
  formatTable,
  killsOf,
  replayCommand,
  toFigureTable,
  toTable,
  writeReport,
} from '../test/faults/run/report.ts';
import { runSeed } from '../test/faults/run/run.ts';
import type { RunResult } from '../test/faults/run/run.ts';
import { FaultServer } from '../test/faults/run/server.ts';
import { makeRunDir, World } from '../test/faults/run/world.ts';
import { killBackends } from '../test/support/process.ts';

const PROGRESS_EVERY_MS = 10_000;
let saidAtMs = 0;

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  const servers = await startServers(options);
  const [server] = servers;
  untilExit({ stop: killBackends, kill: () => void killBackends() });
  const conditions = `${server.label}, ${describeMachine()}`;
  say(conditions);
  if (options.prove) return prove(server, options, conditions);
  return options.measure ? measure(server, options, conditions) : play(servers, options, conditions);
});

/** One for each job; what does not play seeds has one job. */
async function startServers({
  server,
  jobs,
  prove,
  measure,
}: Options): Promise<[FaultServer, ...FaultServer[]]> {
  const start = () => {
    const dir = mkdtempSync(join(tmpdir(), 'wxpay-faults-'));
    const removeDir = () => rmSync(dir, { recursive: true, force: true });
    untilExit({ stop: removeDir, kill: removeDir });
    return FaultServer.start(server, dir);
  };
  const servers: [FaultServer, ...FaultServer[]] = [await start()];
  while (!prove && !measure && servers.length < jobs) servers.push(await start());
  return servers;
}

async function play(servers: readonly FaultServer[], options: Options, conditions: string): Promise<number> {
  const results = readEarlier(options);
  const earlier = results.length;
  let begun = 0;
  const playOneAfterAnother = async (server: FaultServer) => {
    while (begun < options.runs) {
      const seed = options.seed + begun;
      begun += 1;
      results.push(await playOne(seed, server, options));
      writeResults(results, options, conditions); // what was played is not lost when a later run breaks off
    }
  };
  await Promise.all(servers.map(playOneAfterAnother));
  writeResults(results, options, conditions); // also of earlier runs alone
  say(`\n${formatTable(toTable(results))}`);
  const empty = neverLookedAt(results);
  if (empty.length > 0) say(`\nNothing was there to look at for ${empty.join(', ')}: more seeds have more.`);
  return results.slice(earlier).some(({ findings }) => findings.length > 0) ? 1 : 0;
}

/** Invariants about which the runs say nothing, good or bad. */
function neverLookedAt(results: readonly RunResult[]): string[] {
  const names = new Set(results.flatMap(({ judged }) => Object.keys(judged.examined)));
  return [...names].filter((name) => results.every(({ judged }) => !judged.examined[name]));
}

/** What was played before and is added to. */
function readEarlier({ add, jsonFile }: Options): RunResult[] {
  if (!add || !jsonFile || !existsSync(jsonFile)) return [];
  return JSON.parse(readFileSync(jsonFile, 'utf8')) as RunResult[];
}

function writeResults(results: readonly RunResult[], options: Options, conditions: string): void {
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify(results, null, 2)}\n`);
  const report = { mark: options.server, heading: conditions, table: toTable(results) };
  if (options.reportFile) writeReport(options.reportFile, report);
}

async function playOne(seed: number, server: FaultServer, options: Options): Promise<RunResult> {
  const dir = makeRunDir(join(DATA_DIR, 'faults'), `${options.server}-${seed}`);
  const { only, kills, keep } = options;
  const tell = (text: string) => showProgress(`seed ${seed}: ${text}`);
  const result = await runSeed({ seed, only, kills, keep, server, dir, say: tell });
  say(describeRun(result));
  for (const finding of result.findings) say(`  FOUND: ${finding}`);
  if (result.findings.length > 0)
    say(`  The evidence is in ${dir}. The same plan again:\n  ${replayCommand(result, options)}`);
  return result;
}

async function prove(server: FaultServer, options: Options, conditions: string): Promise<number> {
  const proofs = await proveChecker({ server, named: options.bug, say });
  say(`\n${formatTable(toProofTable(proofs))}`);
  if (options.jsonFile)
    writeFileSync(options.jsonFile, `${JSON.stringify({ conditions, proofs }, null, 2)}\n`);
  const report = { mark: 'proof', heading: conditions, table: toProofTable(proofs) };
  if (options.reportFile) writeReport(options.reportFile, report);
  return proofs.length > 0 && proofs.every(({ isCaught }) => isCaught) ? 0 : 1;
}

async function measure(server: FaultServer, options: Options, conditions: string): Promise<number> {
  const dir = makeRunDir(join(DATA_DIR, 'faults'), 'measure');
  const world = await World.start({ server, seed: options.seed, dir, isSecondDirect: true });
  try {
    await world.open();
    const figures = await measureAll(world, say);
    say(`\n${formatTable(toFigureTable(figures))}`);
    if (options.jsonFile)
      writeFileSync(options.jsonFile, `${JSON.stringify({ conditions, figures }, null, 2)}\n`);
    const report = { mark: 'figures', heading: conditions, table: toFigureTable(figures) };
    if (options.reportFile) writeReport(options.reportFile, report);
    return figures.every(({ holds }) => holds) ? 0 : 1;
  } finally {
    await world.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One line that changes on a terminal; in a log a line now and then. */
function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K  ${text}`);
  else if (performance.now() - saidAtMs >= PROGRESS_EVERY_MS) {
    say(`  ${text}`);
    saidAtMs = performance.now();
  }
}

function describeRun(result: RunResult): string {
  const { seed, faults, messages, orders, seconds, quietSeconds, findings } = result;
  const kills = killsOf(result);
  const perMinute = ((kills * 60) / Math.max(1, seconds)).toFixed(1);
  const verdict = findings.length === 0 ? 'nothing found' : `${findings.length} FOUND`;
  const notRun = Object.entries(result.notRun).map(([what, why]) => `; NOT RUN: ${what}, because ${why}`);
  const start = process.stdout.isTTY ? '\r\x1b[K' : '';
  return `${start}seed ${seed}: ${faults.join(' ')}: ${kills} kills (${perMinute} a minute), ${messages} messages, ${orders} orders, ${seconds} s (${quietSeconds} s to rest): ${verdict}${notRun.join('')}`;
}
