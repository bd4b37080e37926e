/** One statement's worth. */
const BATCH_MAX = 200;
const STEP_MS = 100;
/** Of the 20 s that emptying may take: a slow server, and the last batch, need some of it. */
const EMPTIED_WITHIN_MS = 17_000;
/** What a small server does beside its usual work without being noticed. */
const PER_SECOND_MIN = 500;

export type DrainPace = { readonly batch: number; readonly everyMs: number };

/**
 * How fast a spool is emptied. Whoever orders now must not wait for what waited already: a small backlog is moved gently, and
 * a large one as fast as its time demands, up to batch upon batch.
 * @param depth messages in the spool
 */
export function paceOf(depth: number): DrainPace {
  const perSecond = Math.max((depth * 1_000) / EMPTIED_WITHIN_MS, PER_SECOND_MIN);
  const batch = Math.min(Math.ceil((perSecond * STEP_MS) / 1_000), BATCH_MAX);
  return { batch, everyMs: (batch * 1_000) / perSecond };
}

/** A spool may fill on while it is emptied, and is not emptied more slowly because little is left. */
export function fasterOf(a: DrainPace, b: DrainPace): DrainPace {
  return a.batch / a.everyMs >= b.batch / b.everyMs ? a : b;
}
