import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compiledRoot } from '../../support/process.ts';
import { DATA_DIR } from '../run/library.ts';
import { runSeed } from '../run/run.ts';
import type { RunResult } from '../run/run.ts';
import type { FaultServer } from '../run/server.ts';
import { makeRunDir } from '../run/world.ts';
import { plant } from './plant.ts';
import type { PlantedBug } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

/** Many of these bugs keep the backend from ever coming to rest, and the checker decides all the same. The plans themselves rest. */
const REST_WITHIN_MS = 40_000;

export type Proof = {
  readonly name: string;
  /** What should be found broken, one of them at least. */
  readonly breaks: readonly string[];
  /** What was, and how often. */
  readonly broken: Readonly<Record<string, number>>;
  readonly isCaught: boolean;
  /** Why the run could not be played to its end. */
  readonly trouble: string | null;
};

export type ProofOptions = {
  readonly server: FaultServer;
  /** Only bugs whose names have this in them. */
  readonly named: string;
  readonly say: (text: string) => void;
};

/** Plays each planted bug with a plan that can expose it. */
export async function proveChecker({ server, named, say }: ProofOptions): Promise<readonly Proof[]> {
  const proofs: Proof[] = [];
  const controls = new Map<string, Promise<string | null>>();
  for (const bug of PLANTED_BUGS.filter(({ name }) => name.includes(named))) {
    const plan = JSON.stringify(bug.run);
    const control = controls.get(plan) ?? playControl(bug.run, server);
    controls.set(plan, control);
    const trouble = await control;
    const proof = trouble ? failed(bug, trouble) : await proveOne(bug, server);
    proofs.push(proof);
    const seen = proof.trouble ?? Object.keys(proof.broken).join(', ');
    say(`${proof.isCaught ? 'caught' : 'NOT CAUGHT'}: ${bug.name} (${seen || 'nothing found'})`);
  }
  return proofs;
}

export function toProofTable(proofs: readonly Proof[]): string[][] {
  const cells = proofs.map(({ name, breaks, broken, isCaught }) => {
    const found = Object.entries(broken).map(([invariant, count]) => `${invariant} ×${count}`);
    return [name, breaks.join(' or '), found.join(', '), isCaught ? 'yes' : 'NO'];
  });
  return [['planted bug', 'breaks', 'found', 'caught'], ...cells];
}

/** What is found with the bug must not be found without it. @returns what is wrong with the plan, or null */
async function playControl(run: PlantedBug['run'], server: FaultServer): Promise<string | null> {
  try {
    const { findings } = await play(run, server, await compiledRoot());
    const [first] = findings;
    return first ? `without any bug this plan finds: ${first}` : null;
  } catch (error) {
    return messageOf(error);
  }
}

async function play(
  { seed, only, kills = 0 }: PlantedBug['run'],
  server: FaultServer,
  compiled: string,
): Promise<RunResult> {
  const dir = makeRunDir(join(DATA_DIR, 'faults'), `proof-${process.pid}`);
  try {
    return await runSeed({
      ...{ seed, only, kills, server, dir, compiled },
      ...{ keep: false, restWithinMs: REST_WITHIN_MS, say: () => undefined },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function failed({ name, breaks }: PlantedBug, trouble: string): Proof {
  return { name, breaks, broken: {}, isCaught: false, trouble };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function proveOne(bug: PlantedBug, server: FaultServer): Promise<Proof> {
  const { name, breaks, edits, run } = bug;
  // Below the project, whose packages the compiled files use.
  const compiled = join(DATA_DIR, 'faults', `planted-${process.pid}`);
  try {
    plant(edits, { compiled: await compiledRoot(), into: compiled });
    const { judged } = await play(run, server, compiled);
    const isCaught = breaks.some((invariant) => (judged.broken[invariant] ?? 0) > 0);
    return { name, breaks, broken: judged.broken, isCaught, trouble: null };
  } catch (error) {
    return failed(bug, messageOf(error));
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}
