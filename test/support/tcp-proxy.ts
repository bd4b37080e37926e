import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';

const HOST = '127.0.0.1';
/** Below the ports that the kernel hands out by itself, so that a port given up for a while is still free afterwards. */
const PORT_MIN = 20_000;
const PORT_COUNT = 12_000;
const PORT_TRIES_MAX = 50;
const COMMIT = 'COMMIT';

type Link = {
  readonly client: Socket;
  readonly server: Socket;
  answerIsLost: boolean;
  /** The link has carried the word of the halt: its next COMMIT may be the point. */
  hasWord: boolean;
  haltsAtAnswer: boolean;
};

/**
 * A moment in the talk of a client with its server: before the server hears the statement with `word`, or the COMMIT after
 * it, or after it did either, and the client knows nothing of it.
 */
export type HaltPoint = {
  /** The empty word stands in every statement. */
  readonly word: string;
  readonly at: 'before' | 'after' | 'before-commit' | 'after-commit';
  /** Which of the moments that fit, counted from 1 over all connections; the first when absent. */
  readonly nth?: number;
};

/** Listens on a port that nobody has, and that nobody is given by chance while it is closed. */
export async function listenOnQuietPort(server: Server): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * PORT_COUNT);
    try {
      await listen(server, port);
      return port;
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || tries >= PORT_TRIES_MAX) throw error;
    }
  }
}

/** The way to a server, which a test can break and mend while it is in use. */
export class TcpProxy {
  /** How many answers were lost after `loseAnswersTo`. */
  answersLost = 0;
  private readonly links = new Set<Link>();
  private readonly server: Server;
  private isStalled = false;
  private halt: (HaltPoint & { readonly reached: () => void }) | null = null;
  private pointsToPass = 0;
  private inSingleBytes = false;
  private lostWord: string | null = null;
  private lossesLeft = 0;

  private readonly target: { host: string; port: number };

  private constructor(target: { host: string; port: number }) {
    this.target = target;
    this.server = createServer((client) => this.join(client));
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.listeningPort = await listenOnQuietPort(proxy.server);
    return proxy;
  }

  private listeningPort = 0;

  get port(): number {
    return this.listeningPort;
  }

  /** Where an application finds the server behind this proxy. */
  get env(): { DB_HOST: string; DB_PORT: string } {
    return { DB_HOST: HOST, DB_PORT: String(this.port) };
  }

  /** All is well again, and nothing is planned any more; what stood still during a stall moves on. */
  async pass(): Promise<void> {
    this.isStalled = false;
    this.halt = null;
    this.lossesLeft = 0;
    this.inSingleBytes = false;
    for (const link of this.links) {
      link.haltsAtAnswer = false;
      link.client.resume();
      link.server.resume();
    }
    if (!this.server.listening) await listen(this.server, this.port);
  }

  /** The server is gone: connections are reset, new ones refused. */
  async refuse(): Promise<void> {
    this.isStalled = false;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  /** The server hangs: sockets open, nothing moves either way. */
  stall(): void {
    this.isStalled = true;
    for (const { client, server } of this.links) {
      client.pause();
      server.pause();
    }
  }

  /** Both sides get every packet byte by byte, as from a network that cuts where it likes. */
  slice(): void {
    this.inSingleBytes = true;
  }

  /** Resets every open connection; new ones are possible. */
  cut(): void {
    for (const link of this.links) this.reset(link);
  }

  /**
   * The next `times` packets of clients with `word` in them reach the server, and its answers never come
   * back: the connection is reset once the server has answered, so what was asked is done.
   */
  loseAnswersTo(word: string, times: number): void {
    this.lostWord = word;
    this.lossesLeft = times;
  }

  /** Nothing moves any more from this point on, either way, until `pass`. Resolves when it is reached. */
  haltAt(point: HaltPoint): Promise<void> {
    for (const link of this.links) link.hasWord = false;
    this.pointsToPass = (point.nth ?? 1) - 1;
    return new Promise((resolve) => {
      this.halt = { ...point, reached: resolve };
    });
  }

  async close(): Promise<void> {
    if (this.server.listening) await this.refuse();
    else this.cut();
  }

  private join(client: Socket): void {
    const link: Link = {
      client,
      server: connect(this.target),
      answerIsLost: false,
      hasWord: false,
      haltsAtAnswer: false,
    };
    const { server } = link;
    this.links.add(link);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.reset(link));
      socket.on('close', () => this.reset(link));
    }
    client.on('data', (packet: Buffer) => {
      this.noteWord(link, packet);
      if (this.haltsBefore(link, packet)) this.standStill();
      else this.forward(packet, server);
    });
    server.on('data', (packet: Buffer) => {
      if (link.haltsAtAnswer) this.standStill();
      else if (!link.answerIsLost) this.forward(packet, client);
      else {
        this.answersLost += 1;
        this.reset(link);
      }
    });
    if (!this.isStalled) return;
    client.pause();
    server.pause();
  }

  /** True when the packet is the point and must not go on; marks the link where the point is its answer. */
  private haltsBefore(link: Link, packet: Buffer): boolean {
    if (!this.halt || this.isStalled) return false;
    const { word, at } = this.halt;
    const isPoint = at.endsWith('commit') ? link.hasWord && carries(packet, COMMIT) : carries(packet, word);
    link.hasWord ||= packet.includes(word);
    if (!isPoint) return false;
    if (this.pointsToPass > 0) {
      this.pointsToPass -= 1;
      return false;
    }
    link.haltsAtAnswer = at.startsWith('after');
    return !link.haltsAtAnswer;
  }

  private forward(packet: Buffer, to: Socket): void {
    if (!this.inSingleBytes) to.write(packet);
    else for (const byte of packet) to.write(Uint8Array.of(byte));
  }

  private standStill(): void {
    this.stall();
    this.halt?.reached();
    this.halt = null;
  }

  private noteWord(link: Link, packet: Buffer): void {
    if (!this.lostWord || this.lossesLeft <= 0 || link.answerIsLost) return;
    if (!carries(packet, this.lostWord)) return;
    this.lossesLeft -= 1;
    link.answerIsLost = true;
  }

  private reset(link: Link): void {
    if (!this.links.delete(link)) return;
    link.client.resetAndDestroy();
    link.server.destroy();
  }
}

/**
 * The word may stand anywhere: newer servers have attributes before the SQL of a packet. But COMMIT ends its packet, and
 * `READ COMMITTED`, which begins every transaction, does not.
 */
function carries(packet: Buffer, word: string): boolean {
  return word === COMMIT ? packet.toString('latin1').endsWith(COMMIT) : packet.includes(word);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(error);
    server.once('error', onError);
    server.listen(port, HOST, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
