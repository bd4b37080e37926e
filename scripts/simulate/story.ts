import type { Scenario } from './scenarios.ts';
import type { World } from './world.ts';

export type Story = {
  readonly name: string;
  /** What it is about, for the list in --help. */
  readonly about: string;
  /** @returns what happened, in a few words @throws StoryFailed when it did not end as it must */
  readonly run: (world: World) => Promise<string>;
};

/** A story of one order: it is played, and what was promised about it must come true. */
export function single(name: string, about: string, scenario: Scenario, ending: string): Story {
  return {
    name,
    about,
    run: async (world) => {
      await world.untilKept([await scenario(world, world.random.fork())]);
      return ending;
    },
  };
}
