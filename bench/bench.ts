import { checkBuild, makeWorkDir } from './contenders.ts';
import { createDatabase, openDurableServer } from './database.ts';
import type { DurableServer } from './database.ts';
import { Lab } from './lab.ts';
import { runScript, say } from './library.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { describeConditions, formatTable, sayConditions, sayDurability, writeJson } from './report.ts';
import { TEXTBOOK_TABLES } from './textbook-tables.ts';
import {
  measureBareFastify,
  measureOurNotices,
  measureOurPrices,
  measureOurSpool,
  measureTextbookNotices,
} from './works.ts';

/** As many as a round may use up; a faster server's round ends earlier. */
const ORDERS_PER_ROUND = 64_000;
/** Short runs need fewer, and a run is no slower than its seeding. */
const ORDERS_PER_SECOND = 8_000;
const WARM_UP_SHARE_SECONDS = 2;

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  checkBuild();
  const database = await openDurableServer(process.env.TEST_DB_URL);
  const conditions = describeConditions(database, { secondsPerMeasurement: options.seconds });
  sayDurability(database);
  const lab = new Lab({ workDir: makeWorkDir(), database, seconds: options.seconds });
  await measureAll(lab, database, options);
  const { measurements, errors } = lab;
  say(`\n${formatTable(measurements)}\n`);
  sayConditions(conditions);
  if (options.jsonFile) writeJson(options.jsonFile, { conditions, measurements, errors });
  for (const error of errors) say(`ERROR: ${error}`);
  return errors.length > 0 ? 1 : 0;
});

async function measureAll(lab: Lab, database: DurableServer, options: Options): Promise<void> {
  const names = { peer: `wxpay_bench_peer_${process.pid}`, ours: `wxpay_bench_${process.pid}` };
  await createDatabase(database, names.peer);
  await createDatabase(database, names.ours);
  for (const table of TEXTBOOK_TABLES) {
    await database.connection.query(table.replace('CREATE TABLE ', `CREATE TABLE \`${names.peer}\`.`));
  }
  const wanted = (options.seconds + WARM_UP_SHARE_SECONDS) * ORDERS_PER_SECOND;
  const count = Math.min(ORDERS_PER_ROUND, wanted);
  for (const [round, connections] of options.connections.entries()) {
    const orders = { firstIndex: round * count, count };
    // What is compared is measured one right after the other: other work on the machine comes and goes.
    await measureBareFastify(lab, 'notify, accepted', connections);
    await measureTextbookNotices(lab, { connections, database: names.peer, orders });
    await measureOurNotices(lab, { connections, database: names.ours, orders });
    await measureBareFastify(lab, 'order-created, MySQL away', connections);
    await measureOurSpool(lab, connections);
    await measureBareFastify(lab, 'GET prices/current', connections);
    await measureOurPrices(lab, { connections, database: names.ours, orders });
  }
}
