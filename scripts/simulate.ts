import { Database } from './simulate/database.ts';
import type { LabSet } from './simulate/lab.ts';
import { isStopping, runScript } from './simulate/library.ts';
import { readOptions } from './simulate/options.ts';
import type { Options } from './simulate/options.ts';
import { playInLab, playStories } from './simulate/playing.ts';
import type { Outcome } from './simulate/playing.ts';
import { say } from './simulate/report.ts';
import { LEGACY_USER_ID } from './simulate/scenarios.ts';
import { crowdStory } from './simulate/story-crowd.ts';
import { ODD_STORIES } from './simulate/stories-odd.ts';
import { PAID_STORIES } from './simulate/stories-paid.ts';
import {
  FUNCTION_REFUND_FAILURE,
  ODD_REFUND_STORIES,
  WECHATPAY_REFUND_FAILURE,
} from './simulate/stories-refunds-odd.ts';
import { REFUND_STORIES } from './simulate/stories-refunds.ts';
import { REPEAT_STORIES } from './simulate/stories-repeats.ts';
import { ODD_WECHATPAY_STORIES } from './simulate/stories-wechatpay-odd.ts';
import { WECHATPAY_STORIES } from './simulate/stories-wechatpay.ts';
import type { Story } from './simulate/story.ts';
import { checkTarget, findTarget } from './simulate/target.ts';
import { Trouble } from './simulate/trouble.ts';
import { World } from './simulate/world.ts';

const HELP = `npm run simulate [-- --only STORY,… --seed N --orders N --without-wechatpay]

Plays the deployed cloud functions against the backend that \`npm start\` runs, and checks in its database what became
of every order. It writes made-up users, orders and payments, and runs against this machine only.

The stories with WeChat Pay follow, in sets, each on a backend of its own: started here, on a new database of the same
server, beside a simulated WeChat Pay whose ledger is the truth; all of it is removed again. Refunds are played twice:
sent to WeChat Pay itself, and through the deployed function.

  --only STORY         plays these stories only, in every set that has them (a comma between names, or the option again)
  --seed N             repeats what chance decided in an earlier run (not its timing, and not its ids)
  --orders N           how many orders the crowd makes (default 200)
  --without-wechatpay  leaves out the stories with WeChat Pay
  --help               shows this

Another backend of this machine: BASE_URL, DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME and INTERNAL_API_SECRET.

Stories
`;
const NAME_WIDTH = 24;

/** Minutes and days in reality. The backend keeps WeChat Pay's distance between refunds of one order all the same. */
const QUICK_REFUNDS = { refundEndsAfterMs: 500, refundGapMs: 0 } as const;

const LAB_SETS: readonly LabSet[] = [
  {
    title: 'With WeChat Pay',
    stories: [...WECHATPAY_STORIES, ...ODD_WECHATPAY_STORIES],
    options: { name: 'wechatpay' },
  },
  {
    title: 'Refunds directly at WeChat Pay',
    stories: [WECHATPAY_REFUND_FAILURE, ...REFUND_STORIES, ...ODD_REFUND_STORIES],
    options: {
      name: 'refunds-direct',
      hasCloudFunction: true,
      env: { REFUND_CHANNEL: 'wechatpay' },
      wechatpay: QUICK_REFUNDS,
    },
  },
  {
    title: 'Refunds through the function',
    stories: [FUNCTION_REFUND_FAILURE, ...REFUND_STORIES, ...ODD_REFUND_STORIES],
    options: { name: 'refunds-by-function', hasCloudFunction: true, wechatpay: QUICK_REFUNDS },
  },
];

type Chosen = { readonly stories: readonly Story[]; readonly sets: readonly LabSet[] };

await runScript(async () => {
  try {
    return await main();
  } catch (error) {
    if (!isStopping()) process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const all = {
    stories: [...PAID_STORIES, ...REPEAT_STORIES, ...ODD_STORIES, crowdStory(options.orders)],
    sets: LAB_SETS,
  };
  if (options.help) {
    say(HELP + list(all.stories) + all.sets.map((set) => `\n\n${set.title}\n${list(set.stories)}`).join(''));
    return 0;
  }
  const { stories, sets } = choose(all, options);
  const target = await findTarget();
  const database = new Database(target.db);
  try {
    const version = await checkTarget(target, database);
    const { db } = target;
    const { seed } = options;
    say(`Backend ${target.baseUrl}, database ${db.name} on ${db.host}:${db.port} (${version}), seed ${seed}`);
    const outcomes: Outcome[] = [];
    if (stories.length > 0) {
      const world = await World.open(target, { database, seed });
      await noteOpening(world);
      outcomes.push(await playStories(world, stories));
    }
    for (const set of sets) outcomes.push(await playInLab(set, { target, seed }));
    return conclude(outcomes, options);
  } finally {
    await database.close();
  }
}

/** @returns the exit code: not run is not passed, but only what somebody asked for by name is missed */
function conclude(outcomes: readonly Outcome[], { seed, only }: Options): number {
  const failed = unique(outcomes.flatMap((outcome) => outcome.failed));
  const notRun = unique(outcomes.flatMap((outcome) => outcome.notRun));
  if (notRun.length > 0) say(`\nNot run (${notRun.length}): ${notRun.join(', ')}.`);
  if (failed.length === 0 && outcomes.every(({ isSound }) => isSound)) {
    if (outcomes.some((outcome) => outcome.notRun.length === 0))
      say('\nZero lost, zero double, zero ungranted, every odd case held with a reason.');
    return only.length > 0 && notRun.length > 0 ? 1 : 0;
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

function choose(all: Chosen, { only, withoutWechatpay }: Options): Chosen {
  const names = unique([...all.stories, ...all.sets.flatMap((set) => set.stories)].map(({ name }) => name));
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new Trouble(`There is no story ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  }
  const isWanted = ({ name }: { name: string }) => only.length === 0 || only.includes(name);
  const stories = all.stories.filter(isWanted);
  const sets = all.sets
    .map((set) => ({ ...set, stories: set.stories.filter(isWanted) }))
    .filter((set) => !withoutWechatpay && set.stories.length > 0);
  if (stories.length === 0 && sets.length === 0)
    throw new Trouble('These stories are played with WeChat Pay, and --without-wechatpay leaves them out.');
  return { stories, sets };
}

/** Some stories are played in more than one set. */
function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function list(stories: readonly { readonly name: string; readonly about: string }[]): string {
  return stories.map(({ name, about }) => `  ${name.padEnd(NAME_WIDTH)}${about}`).join('\n');
}

function explain(error: unknown): string {
  if (error instanceof Trouble) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
