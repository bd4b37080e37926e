import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. Everything the scripts write lies in it, below .data, or in a temporary folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const DATA_DIR = join(ROOT, '.data');
export const LOGS_DIR = join(DATA_DIR, 'logs');
export const BIN_DIR = join(ROOT, 'node_modules', '.bin');

/**
 * As in `start:prod` and the Dockerfile. A large young generation would be memory that is touched once and never given back; and
 * four threads that mark garbage together would take the processors from whoever is being served, on a machine with two.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8', '--v8-pool-size=1'];
