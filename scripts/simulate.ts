import { Database } from './simulate/database.ts';
import { countTotals } from './simulate/invariants.ts';
import { readOptions } from './simulate/options.ts';
import type { Options } from './simulate/options.ts';
import { reportTotals, say, tell } from './simulate/report.ts';
import { LEGACY_USER_ID } from './simulate/scenarios.ts';
import { crowdStory } from './simulate/story-crowd.ts';
import { ODD_STORIES } from './simulate/stories-odd.ts';
import { PAID_STORIES } from './simulate/stories-paid.ts';
import { REPEAT_STORIES } from './simulate/stories-repeats.ts';
import type { Story } from './simulate/story.ts';
import { checkTarget, findTarget } from './simulate/target.ts';
import { Trouble } from './simulate/trouble.ts';
import { StoryFailed, World } from './simulate/world.ts';

const HELP = `npm run simulate [-- --only STORY,… --seed N --orders N]

Plays the deployed cloud functions against the backend that \`npm start\` runs, and checks in its database what became
of every order. It writes made-up users, orders and payments, and runs against this machine only.

  --only STORY   plays these stories only (a comma between names, or the option again)
  --seed N       repeats what chance decided in an earlier run (not its timing, and not its ids)
  --orders N     how many orders the crowd makes (default 200)
  --help         shows this

Another backend of this machine: BASE_URL, DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME and INTERNAL_API_SECRET.

Stories
`;
const NAME_WIDTH = 24;
/** What a story saw can still change while the later ones run; this is how long all may take to be right at the end. */
const LAST_LOOK_MS = 5_000;

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  return 1;
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const all = [...PAID_STORIES, ...REPEAT_STORIES, ...ODD_STORIES, crowdStory(options.orders)];
  if (options.help) {
    say(HELP + all.map(({ name, about }) => `  ${name.padEnd(NAME_WIDTH)}${about}`).join('\n'));
    return 0;
  }
  const stories = choose(all, options.only);
  const target = await findTarget();
  const database = new Database(target.db);
  try {
    const version = await checkTarget(target, database);
    const { db } = target;
    say(
      `Backend ${target.baseUrl}, database ${db.name} on ${db.host}:${db.port} (${version}), seed ${options.seed}\n`,
    );
    const world = await World.open(target, { database, seed: options.seed });
    return await play(world, stories, options);
  } finally {
    await database.close();
  }
}

async function play(world: World, stories: readonly Story[], { seed }: Options): Promise<number> {
  await noteOpening(world);
  const failed: string[] = [];
  for (const story of stories) {
    world.story = story.name;
    if (!(await tell(story, world))) failed.push(story.name);
  }
  // What is still wrong then is counted and listed below.
  await world.untilAllKept(world.book.all(), failed.length > 0 ? 0 : LAST_LOOK_MS).catch((error: unknown) => {
    if (!(error instanceof StoryFailed)) throw error;
  });
  const isSound = reportTotals(await countTotals(world), world.api);
  if (failed.length === 0 && isSound) {
    say('\nZero lost, zero double, zero ungranted, every odd case held with a reason.');
    return 0;
  }
  const names = failed.length > 0 ? ` Stories: ${failed.join(', ')}.` : '';
  say(`\nNot as promised.${names} The same again: npm run simulate -- --seed ${seed}`);
  return 1;
}

/** The one user that all runs share may have used some credits since the last one. */
async function noteOpening(world: World): Promise<void> {
  const [user] = await world.database.rows<{ opening: string | number }>(
    `SELECT COALESCE(u.regenerate_count, 0) -
            COALESCE((SELECT SUM(g.regenerate_delta) FROM entitlement_grants g WHERE g.user_id = u.id), 0) AS opening
       FROM users u WHERE u.id = ?`,
    [LEGACY_USER_ID],
  );
  if (user) world.openingCredits.set(LEGACY_USER_ID, Number(user.opening));
}

function choose(all: readonly Story[], only: readonly string[]): readonly Story[] {
  const unknown = only.filter((name) => !all.some((story) => story.name === name));
  if (unknown.length > 0) {
    throw new Trouble(
      `There is no story ${unknown.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}.`,
    );
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}

function explain(error: unknown): string {
  if (error instanceof Trouble) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
