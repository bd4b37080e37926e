/** What this benchmark uses of the start scripts, which are plain JavaScript without types. */

type Registered = { readonly stop: () => void | Promise<void>; readonly kill: () => void };

export type PrivateServer = { readonly url: string; readonly label: string };

type Shutdown = {
  readonly runScript: (work: () => Promise<number>) => Promise<void>;
  readonly untilExit: (thing: Registered) => () => void;
};
type Terminal = { readonly Trouble: new (message: string) => Error; readonly say: (text: string) => void };
type Servers = {
  readonly startPrivateServer: (options: { durable: boolean }) => Promise<PrivateServer>;
};
type Ports = { readonly findFreePort: (host: string) => Promise<number> };
type Paths = { readonly NODE_FLAGS: readonly string[] };
type Processes = { readonly endProcess: (pid: number, graceMs: number) => Promise<void> };

const load = (file: string): Promise<unknown> =>
  import(new URL(`../scripts/lib/${file}`, import.meta.url).href);

export const { runScript, untilExit } = (await load('shutdown.mjs')) as Shutdown;
export const { Trouble, say } = (await load('terminal.mjs')) as Terminal;
export const { startPrivateServer } = (await load('private-server.mjs')) as Servers;
export const { findFreePort } = (await load('ports.mjs')) as Ports;
export const { NODE_FLAGS } = (await load('paths.mjs')) as Paths;
export const { endProcess } = (await load('processes.mjs')) as Processes;

/** Every server of a benchmark listens here and nowhere else, and load goes nowhere else. */
export const LOOPBACK = '127.0.0.1';
