import { measureOurBacklogs, measurePeerBacklogs, measurePickUp, measureSpoolDrained } from './backlogs.ts';
import type { Site } from './backlogs.ts';
import { checkBuild, makeWorkDir } from './contenders.ts';
import { createDatabase, openDurableServer } from './database.ts';
import type { DurableServer } from './database.ts';
import { Lab, WARM_UP_SECONDS } from './lab.ts';
import { runScript, say } from './library.ts';
import { mediansOf } from './measurement.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { describeConditions, formatTable, sayConditions, sayDurability, writeJsonFile } from './report.ts';
import { TEXTBOOK_TABLES } from './textbook-tables.ts';
import {
  measureBareFastify,
  measureGroupInsert,
  measureOurKept,
  measureOurPrices,
  measureOurSpool,
  measureTextbookNotices,
} from './works.ts';
import type { Range } from './works.ts';

/** As many as a round may use up; a faster server's round ends earlier. */
const ORDERS_PER_SECOND = { ours: 6_000, peer: 1_200 };
const BACKLOG = { ours: 30_000, peer: 3_000 };
const PICKED_UP = 10_000;
const SPOOLED = 100_000;

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  checkBuild();
  const database = await openDurableServer(process.env.TEST_DB_URL);
  const { runs, seconds } = options;
  const conditions = describeConditions(database, { runs, secondsPerMeasurement: seconds });
  sayDurability(database);
  const lab = new Lab({ workDir: makeWorkDir(), database, seconds });
  for (let run = 1; run <= runs; run += 1) {
    if (runs > 1) say(`\nRun ${run} of ${runs}`);
    lab.beginRun();
    await measureAll(lab, await makeSite(database, run), options);
    const lines = mediansOf(lab.runs);
    say(`\n${formatTable(lines)}\n`);
    // After each run: what fails later must not take along what was measured.
    if (options.jsonFile)
      writeJsonFile(options.jsonFile, { conditions, medians: lines, runs: lab.runs, errors: lab.errors });
  }
  sayConditions(conditions);
  for (const error of lab.errors) say(`ERROR: ${error}`);
  return lab.errors.length > 0 ? 1 : 0;
});

/** Empty databases, so that a run does not depend on those before. */
async function makeSite(database: DurableServer, run: number): Promise<Site> {
  const site = {
    peer: `wxpay_bench_peer_${process.pid}_${run}`,
    ours: `wxpay_bench_${process.pid}_${run}`,
  };
  await createDatabase(database, site.peer);
  await createDatabase(database, site.ours);
  for (const table of TEXTBOOK_TABLES) {
    await database.connection.query(table.replace('CREATE TABLE ', `CREATE TABLE \`${site.peer}\`.`));
  }
  return site;
}

/** What is compared is measured one right after the other: other work on the machine comes and goes. */
async function measureAll(lab: Lab, site: Site, { parts, connections, seconds }: Options): Promise<void> {
  const next = numbering();
  const load = seconds + WARM_UP_SECONDS;
  const round = (side: keyof Site, each: number) => ({
    connections: each,
    database: site[side],
    orders: next(load * ORDERS_PER_SECOND[side]),
  });
  for (const each of connections) {
    if (parts.includes('notices')) {
      await measureGroupInsert(lab, 'notify, accepted', round('peer', each));
      await measureTextbookNotices(lab, round('peer', each));
      await measureOurKept(lab, 'notices', round('ours', each));
    }
    if (parts.includes('prices')) {
      await measureBareFastify(lab, 'GET prices/current', each);
      await measureOurPrices(lab, { connections: each, database: site.ours });
    }
    if (parts.includes('spool')) {
      await measureBareFastify(lab, 'order-created, MySQL away', each);
      await measureOurSpool(lab, each);
    }
  }
  if (parts.includes('backlogs')) {
    await measurePeerBacklogs(lab, site, next(BACKLOG.peer));
    await measureOurBacklogs(lab, site, next(BACKLOG.ours));
    await measurePickUp(lab, site, next(PICKED_UP).firstIndex);
  }
  for (const each of parts.includes('orders') ? connections : []) {
    await measureGroupInsert(lab, 'order-created, accepted', round('peer', each));
    await measureOurKept(lab, 'orders', round('ours', each));
  }
  // Last: what came out of the spool still waits in the tables.
  if (parts.includes('spool')) await measureSpoolDrained(lab, site, next(SPOOLED));
}

/** Orders of their own for each work. */
function numbering(): (count: number) => Range {
  let firstIndex = 0;
  return (count) => {
    const range = { firstIndex, count };
    firstIndex += count;
    return range;
  };
}
