import { reportTrouble } from './terminal.mjs';

// npm passes Ctrl-C on to a script that already has it from the terminal: the second copy comes within milliseconds.
const SAME_KEYPRESS_MS = 1_000;
const PARENT_CHECK_MS = 300;
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const running = [];
let stopping;
let firstSignalMs;

/**
 * Registers something to end when the script ends; the last one registered ends first.
 * `stop` is polite and may take its time, `kill` is not and must be immediate.
 * @returns a function that takes the registration back
 */
export function untilExit(thing) {
  running.push(thing);
  return () => {
    const index = running.indexOf(thing);
    if (index >= 0) running.splice(index, 1);
  };
}

/**
 * Runs a whole script: its result is the exit code, and nothing it registered outlives it.
 * @param {{ isMeantToBeStopped?: boolean }} [options] a server that is told to stop and does has not failed: exit code 0
 */
export async function runScript(work, { isMeantToBeStopped = false } = {}) {
  stopOnSignals(isMeantToBeStopped);
  let exitCode = 1;
  try {
    exitCode = await work();
  } catch (error) {
    // What fails while everything is being ended fails because of that.
    if (!stopping) reportTrouble(error);
  }
  if (stopping) return; // the signal's own handler exits, with the signal's code
  await stopAll();
  process.exit(exitCode);
}

/** Whether everything is being ended: what ends by itself now was told to. */
export const isStopping = () => stopping !== undefined;

function stopAll() {
  stopping ??= stopInReverse();
  return stopping;
}

async function stopInReverse() {
  while (running.length > 0) {
    const thing = running.at(-1);
    try {
      await thing.stop();
    } catch (error) {
      reportTrouble(error);
    }
    if (running.at(-1) === thing) running.pop();
  }
}

/** First signal: everything ends in order. A second one, when that takes too long: everything is killed. */
function stopOnSignals(isMeantToBeStopped) {
  const stopAndExit = (exitCode) => stopAll().then(() => process.exit(exitCode), reportTrouble);
  const onSignal = (signal) => {
    firstSignalMs ??= performance.now();
    if (performance.now() - firstSignalMs > SAME_KEYPRESS_MS) {
      for (const thing of [...running].reverse()) thing.kill();
      process.exit(EXIT_CODES[signal]);
    }
    void stopAndExit(isMeantToBeStopped ? 0 : EXIT_CODES[signal]);
  };
  for (const signal of Object.keys(EXIT_CODES)) process.on(signal, onSignal);
  whenOrphaned(() => onSignal('SIGTERM'));
  // Whoever read the output has gone (`npm start | head`): nothing more can be said, and what runs must not stay.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => void stopAndExit(1));
  process.on('uncaughtException', (error) => {
    reportTrouble(error);
    void stopAndExit(1);
  });
}

/**
 * npm passes SIGTERM on to its shell only, which dies of it without a word to this script; the same when npm is killed.
 * Not watched when started by hand: there a shell that goes away may be meant to leave it running.
 */
function whenOrphaned(stop) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, PARENT_CHECK_MS);
  watch.unref();
}
