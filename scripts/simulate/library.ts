import { join } from 'node:path';

/** What the simulation uses of the start scripts, which are plain JavaScript without types. */

type Registered = { readonly stop: () => void | Promise<void>; readonly kill: () => void };

type Shutdown = {
  readonly runScript: (work: () => Promise<number>) => Promise<void>;
  readonly untilExit: (thing: Registered) => () => void;
  readonly isStopping: () => boolean;
};
type Ports = { readonly findFreePort: (host: string) => Promise<number> };
type Processes = { readonly endProcess: (pid: number, graceMs: number) => Promise<void> };
type Toolchain = { readonly compile: (env: NodeJS.ProcessEnv) => Promise<void> };
type Paths = { readonly ROOT: string; readonly LOGS_DIR: string; readonly NODE_FLAGS: readonly string[] };

const load = (file: string): Promise<unknown> => import(new URL(`../lib/${file}`, import.meta.url).href);

export const { runScript, untilExit, isStopping } = (await load('shutdown.mjs')) as Shutdown;
export const { findFreePort } = (await load('ports.mjs')) as Ports;
export const { endProcess } = (await load('processes.mjs')) as Processes;
export const { compile } = (await load('toolchain.mjs')) as Toolchain;
export const { ROOT, LOGS_DIR, NODE_FLAGS } = (await load('paths.mjs')) as Paths;

export const MAIN = join(ROOT, 'dist', 'src', 'main.js');
export const ADMIN_CLI = join(ROOT, 'dist', 'src', 'admin-cli.js');
