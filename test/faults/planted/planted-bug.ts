import type { Invariant } from '../checker/verdict.ts';
import type { FaultNumber } from '../run/fault-numbers.ts';

/** A change of the compiled code, so that the sources have no switch for it. */
export type Edit = {
  /** Below the folder of the compiled files. */
  readonly file: string;
  /** Stands there exactly once, or the code has moved on and the bug with it. */
  readonly find: string;
  readonly replace: string;
};

/** A mistake that somebody could make, and what must come of it. */
export type PlantedBug = {
  readonly name: string;
  /** At least one of these must be found broken. */
  readonly breaks: readonly Invariant[];
  readonly edits: readonly Edit[];
  /** A run that can expose it: without faults some mistakes look right. */
  readonly run: { readonly seed: number; readonly only: readonly FaultNumber[]; readonly kills?: number };
};
