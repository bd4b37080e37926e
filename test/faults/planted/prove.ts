import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compiledRoot } from '../../support/process.ts';
import { DATA_DIR } from '../run/library.ts';
import { runSeed } from '../run/run.ts';
import type { FaultServer } from '../run/server.ts';
import { makeRunDir } from '../run/world.ts';
import { plant } from './plant.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import type { PlantedBug } from './planted-bugs.ts';

/** Many of these bugs keep the backend from ever coming to rest, and the checker decides all the same. */
const REST_WITHIN_MS = 25_000;

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
  for (const bug of PLANTED_BUGS.filter(({ name }) => name.includes(named))) {
    const proof = await proveOne(bug, server);
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

async function proveOne({ name, breaks, edits, run }: PlantedBug, server: FaultServer): Promise<Proof> {
  // Below the project, whose packages the compiled files use.
  const compiled = join(DATA_DIR, 'faults', `planted-${process.pid}`);
  const dir = makeRunDir(join(DATA_DIR, 'faults'), `proof-${process.pid}`);
  try {
    plant(edits, { compiled: await compiledRoot(), into: compiled });
    const { judged } = await runSeed({
      ...{ seed: run.seed, only: run.only, kills: run.kills ?? 0 },
      ...{ server, dir, compiled, keep: false, restWithinMs: REST_WITHIN_MS, say: () => undefined },
    });
    const isCaught = breaks.some((invariant) => (judged.broken[invariant] ?? 0) > 0);
    return { name, breaks, broken: judged.broken, isCaught, trouble: null };
  } catch (error) {
    const trouble = error instanceof Error ? error.message : String(error);
    return { name, breaks, broken: {}, isCaught: false, trouble };
  } finally {
    for (const made of [compiled, dir]) rmSync(made, { recursive: true, force: true });
  }
}
