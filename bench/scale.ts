import { parseArgs } from 'node:util';
import { createAdminToken } from './admin-token.ts';
import { checkBuild, makeWorkDir, startOurs } from './contenders.ts';
import { createDatabase, openDurableServer } from './database.ts';
import type { DurableServer } from './database.ts';
import { runScript, say, Trouble } from './library.ts';
import { writableFile } from './options.ts';
import { describeConditions, sayConditions, sayDurability, writeJsonFile } from './report.ts';
import { measureLists, measureStatistics } from './scale-lists.ts';
import type { ListCost, StatisticsCost } from './scale-lists.ts';
import { listsTable, statisticsTable, ticksTable } from './scale-report.ts';
import { ScaleSeed } from './scale-seed.ts';
import { measureTicks } from './scale-ticks.ts';
import type { TickGrowth } from './tick-process.ts';

const ORDERS_DEFAULT = 5_000_000;
const ORDERS_MIN = 200_000;
const ORDERS_MAX = 9_000_000;
/** What the ticks of the full table are compared with. */
const ORDERS_FEW = 100_000;

const HELP = `npm run bench:scale [-- N --json FILE]

Fills two databases of a durable server of its own, thrown away afterwards, with the orders of a year and all that belongs to
them: ${ORDERS_FEW}, and N (default ${ORDERS_DEFAULT}). Measures what a tick of each periodic job costs while nothing is due, at both
sizes in turns; then the listing of orders at its first pages and at deep ones, and the statistics. With the default it takes a quarter of an
hour or more, and 10 GB of disk in TMPDIR.

  N            how many orders (${ORDERS_MIN} to ${ORDERS_MAX})
  --json FILE  writes the figures to a file, too
  --help       shows this

  TEST_DB_URL=mysql://user:password@127.0.0.1:port npm run bench:scale   on a server of yours with durable settings, on this
               machine (its user must create databases; those made are dropped again; its settings are left alone, so
               that the seeding takes longer)`;

type Options = {
  readonly orders: number;
  readonly jsonFile: string | undefined;
  readonly help: boolean;
};
type Bench = {
  readonly workDir: string;
  readonly server: DurableServer;
  readonly databases: { readonly few: string; readonly all: string };
  readonly orders: number;
};

type Result = {
  readonly ticks: readonly TickGrowth[];
  readonly lists: readonly ListCost[];
  readonly statistics: readonly StatisticsCost[];
};

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    say(HELP);
    return 0;
  }
  checkBuild();
  const server = await openDurableServer(process.env.TEST_DB_URL);
  sayDurability(server);
  const conditions = describeConditions(server, { orders: options.orders });
  const databases = { few: `wxpay_bench_few_${process.pid}`, all: `wxpay_bench_scale_${process.pid}` };
  for (const name of Object.values(databases)) await createDatabase(server, name);
  const bench = { workDir: makeWorkDir(), server, databases, orders: options.orders };
  const result: Partial<Result> = {};
  const tell = (part: Partial<Result>, table: string): void => {
    Object.assign(result, part);
    say(`\n${table}\n`);
    // After each part: a run takes long, and what fails later must not take along what was measured.
    if (options.jsonFile) writeJsonFile(options.jsonFile, { conditions, ...result });
  };
  await measureAll(bench, tell);
  sayConditions(conditions);
  return 0;
});

async function measureAll(bench: Bench, tell: (part: Partial<Result>, table: string) => void): Promise<void> {
  const { workDir, server, databases, orders } = bench;
  const few = await seedDatabase(bench, databases.few, ORDERS_FEW);
  const all = await seedDatabase(bench, databases.all, orders);
  const ticks = await measureIdleTicks(bench, [few, all]);
  tell({ ticks }, ticksTable(ticks, { few: ORDERS_FEW, all: orders }));
  await server.connection.query(`USE \`${databases.all}\``);
  const token = await createAdminToken(server.connection, 'operator');
  const ours = await startOurs(workDir, server.address, databases.all);
  try {
    const api = { port: ours.port, token };
    say('Listing orders, at the first pages and at deep ones …');
    const lists = await measureLists(api, all, orders, ({ listing }) => say(`    ${listing}`));
    tell({ lists }, listsTable(lists));
    say('Statistics of a month and of a year …');
    const statistics = await measureStatistics(api, all);
    tell({ statistics }, statisticsTable(statistics));
  } finally {
    await ours.stop();
  }
}

async function seedDatabase(bench: Bench, name: string, count: number): Promise<ScaleSeed> {
  // The first start of the backend makes the schema.
  await (await startOurs(bench.workDir, bench.server.address, name)).stop();
  const isOurServer = !process.env.TEST_DB_URL;
  say(`Seeding ${count} orders${isOurServer ? ', not durably' : ''} …`);
  const seed = await ScaleSeed.open(bench.server, name, { total: count, isOurServer });
  await seed.fill();
  return seed;
}

/** @throws {Trouble} when a tick found work, which would be no idle one */
async function measureIdleTicks(bench: Bench, seeds: readonly ScaleSeed[]): Promise<TickGrowth[]> {
  const before = await Promise.all(seeds.map((seed) => seed.countRows()));
  for (const seed of seeds) {
    await seed.placePassesInTheMiddle();
    await seed.touchNewest();
  }
  say('Running the jobs, over few orders and over all in turns …');
  const growths = await measureTicks(bench.workDir, bench.server.address, bench.databases);
  const after = await Promise.all(seeds.map((seed) => seed.countRows()));
  if (before.join() !== after.join())
    throw new Trouble(
      `The jobs found something to do, so they were not idle:\n${before.join()}\n${after.join()}`,
    );
  return growths;
}

/** @throws {Trouble} naming the argument that is wrong */
function readOptions(args: string[]): Options {
  const { values, positionals } = parse(args);
  const text = positionals[0] ?? String(ORDERS_DEFAULT);
  const orders = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (positionals.length > 1 || orders < ORDERS_MIN || orders > ORDERS_MAX)
    throw new Trouble(`The number of orders must be a whole number from ${ORDERS_MIN} to ${ORDERS_MAX}.`);
  return {
    orders,
    help: values.help,
    jsonFile: values.json === undefined ? undefined : writableFile(values.json),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', default: false }, json: { type: 'string' } },
    });
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\n\n${HELP}`);
  }
}
