/** What the fault runs use of the start scripts, which are plain JavaScript without types. */

export type ServerKind = 'mariadb' | 'mysql';
type Registered = { readonly stop: () => void | Promise<void>; readonly kill: () => void };

export type PrivateServer = {
  readonly port: number;
  readonly pid: number;
  readonly label: string;
  readonly exited: Promise<void>;
  readonly stop: () => Promise<void>;
};

type Shutdown = {
  readonly runScript: (work: () => Promise<number>) => Promise<void>;
  readonly untilExit: (thing: Registered) => () => void;
};
type Terminal = { readonly Trouble: new (message: string) => Error; readonly say: (text: string) => void };
type Servers = {
  readonly startPrivateServer: (options: {
    kind: ServerKind;
    dir: string;
    port?: number;
    durable: boolean;
  }) => Promise<PrivateServer>;
};
type ServerPrograms = { readonly kind: ServerKind; readonly server: string };
type Programs = {
  readonly getServerPrograms: (kind: ServerKind) => Promise<ServerPrograms>;
  readonly getBinlogReader: (programs: ServerPrograms) => Promise<string>;
};
type Command = { readonly findProgram: (name: string, path?: string) => string | undefined };
type Paths = { readonly DATA_DIR: string };

const load = (file: string): Promise<unknown> =>
  import(new URL(`../../../scripts/lib/${file}`, import.meta.url).href);

export const { runScript, untilExit } = (await load('shutdown.mjs')) as Shutdown;
export const { Trouble, say } = (await load('terminal.mjs')) as Terminal;
export const { startPrivateServer } = (await load('private-server.mjs')) as Servers;
export const { getServerPrograms, getBinlogReader } = (await load('server-programs.mjs')) as Programs;
export const { findProgram } = (await load('command.mjs')) as Command;
export const { DATA_DIR } = (await load('paths.mjs')) as Paths;
