import { logOf } from './backend-process.ts';
import { countTotals } from './invariants.ts';
import { LabUnavailable } from './lab-database.ts';
import { Lab } from './lab.ts';
import type { LabSet } from './lab.ts';
import { isStopping } from './library.ts';
import { reportTotals, say, tell } from './report.ts';
import type { Story } from './story.ts';
import type { Target } from './target.ts';
import { compareWithLedger } from './wechat-ledger.ts';
import { StoryFailed } from './world.ts';
import type { World } from './world.ts';

/** What a part of the run came to. */
export type Outcome = {
  readonly failed: readonly string[];
  /** Whether the money is right, whatever the stories saw. */
  readonly isSound: boolean;
  readonly notRun: readonly string[];
};

/** What a story saw can still change while the later ones run; this is how long all may take to be right at the end. */
const LAST_LOOK_MS = 5_000;

export async function playStories(world: World, stories: readonly Story[]): Promise<Outcome> {
  say('');
  const failed = await playAll(stories, { on: world, world });
  return { failed, isSound: reportTotals(await countTotals(world), world.api), notRun: [] };
}

/** On a backend beside the target's database server; the target itself is left alone. */
export async function playInLab(
  { title, stories, options }: LabSet,
  { target, seed }: { target: Target; seed: number },
): Promise<Outcome> {
  say(`\n${title}: starting a backend of its own …`);
  const lab = await startLab({ target, seed, options });
  if (!lab) return { failed: [], isSound: true, notRun: stories.map(({ name }) => name) };
  try {
    const { baseUrl, db } = lab.target;
    say(`Backend ${baseUrl}, database ${db.name}, WeChat Pay simulated on ${lab.simulator.baseUrl}\n`);
    const failed = await playAll(stories, { on: lab, world: lab.world });
    const ledger = await compareWithLedger(lab);
    const isSound = reportTotals(await countTotals(lab.world), lab.api, ledger);
    if (failed.length > 0 || !isSound) say(`  the log of this backend: ${logOf(options.name)}`);
    return { failed, isSound, notRun: [] };
  } finally {
    await lab.stop();
  }
}

async function startLab(from: {
  target: Target;
  seed: number;
  options: LabSet['options'];
}): Promise<Lab | null> {
  try {
    return await Lab.start(from.target.db, { ...from.options, seed: from.seed });
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(`${error.message}.`);
    return null;
  }
}

/** @returns the names of those that did not end as they must */
async function playAll<Scene>(
  stories: readonly { readonly name: string; readonly run: (scene: Scene) => Promise<string> }[],
  { on, world }: { on: Scene; world: World },
): Promise<string[]> {
  const failed: string[] = [];
  for (const story of stories) {
    if (isStopping()) break;
    world.story = story.name;
    if (!(await tell(story, () => story.run(on)))) failed.push(story.name);
  }
  // What is still wrong then is counted and listed with the money.
  await world.untilAllKept(world.book.all(), failed.length > 0 ? 0 : LAST_LOOK_MS).catch((error: unknown) => {
    if (!(error instanceof StoryFailed)) throw error;
  });
  return failed;
}
