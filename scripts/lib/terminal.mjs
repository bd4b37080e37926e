/** Something the person at the terminal can act on: shown as it is, without a stack trace. */
export class Trouble extends Error {}

// Long enough not to flood a log, short enough that nobody thinks it hangs.
const PROGRESS_EVERY_MS = 5_000;
const ONE_DECIMAL = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const say = (text) => process.stdout.write(`${text}\n`);

export function secondsSince(startedMs) {
  return `${ONE_DECIMAL.format((performance.now() - startedMs) / 1000)} s`;
}

/** Says what goes on, every few seconds that it still does, and how long it took. */
export async function withProgress(label, work) {
  const startedMs = performance.now();
  say(`${label} …`);
  const ticker = setInterval(
    () => say(`  … ${Math.round((performance.now() - startedMs) / 1000)} s`),
    PROGRESS_EVERY_MS,
  );
  try {
    const result = await work();
    say(`  done in ${secondsSince(startedMs)}`);
    return result;
  } finally {
    clearInterval(ticker);
  }
}

/** The one place where a script ends because something went wrong. */
export function reportTrouble(error) {
  process.stderr.write(`\n${error instanceof Trouble ? error.message : (error?.stack ?? error)}\n`);
}
