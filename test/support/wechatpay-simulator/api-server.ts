import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { badGateway, redirectTo, send, sendTruncated, toAnswer, toErrorAnswer } from './answers.ts';
import type { Answer } from './answers.ts';
import { ApiError, paramError, systemError, tooMany } from './api-error.ts';
import type { Fault, Faults } from './faults.ts';
import type { PlatformKey, SimulatorKeys } from './keys.ts';
import { matchRoute } from './routes.ts';
import type { Match, Outcome, Route, RouteName } from './routes.ts';
import { RequestVerifier } from './signing.ts';
import type { World } from './world.ts';

const HOST = '127.0.0.1';
const BODY_BYTES_MAX = 1024 * 1024;
const REQUESTS_KEPT_MAX = 10_000;
const TRAP_PATH = '/redirect-trap';
const CONTROL_PATH = '/sim/';

/** One request that reached WeChat Pay, for tests that count them. */
export type SeenRequest = {
  readonly atMs: number;
  readonly method: string;
  /** As it came, with its query. */
  readonly url: string;
  /** redirect-trap: a client followed a redirect, which it must not. */
  readonly route: RouteName | 'redirect-trap' | null;
  readonly serial: string | null;
  readonly body: string;
  fault: Fault | null;
  /** What was answered; null while nothing was. */
  status: number | null;
};

type Received = { request: IncomingMessage; response: ServerResponse; body: Buffer; seen: SeenRequest };

/** Answers what is asked under /sim/, outside of the API: resolves to null when there is no such thing. */
export type Control = (method: string, path: string, body: Buffer) => Promise<Answer | null>;

export class ApiServer {
  readonly requests: SeenRequest[] = [];
  private readonly world: World;
  private readonly keys: SimulatorKeys;
  private readonly faults: Faults;
  private readonly verifier: RequestVerifier;
  private readonly server: Server;
  private routes: readonly Route[] = [];
  private control: Control = () => Promise.resolve(null);

  constructor(world: World, keys: SimulatorKeys, faults: Faults) {
    this.world = world;
    this.keys = keys;
    this.faults = faults;
    this.verifier = new RequestVerifier(keys.merchant);
    this.server = createServer((request, response) => {
      this.receive(request, response).catch((error: unknown) => {
        // A client may go away in the middle of its body; anything else is a mistake in the simulator itself.
        if (request.complete)
          process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        response.socket?.resetAndDestroy();
      });
    });
  }

  get baseUrl(): string {
    return `http://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  serve(routes: readonly Route[], control: Control): void {
    this.routes = routes;
    this.control = control;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, HOST, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  /** Also ends the connections that are left hanging. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const method = request.method ?? '';
    const body = await readBody(request);
    if (url.startsWith(CONTROL_PATH)) {
      const answer = await this.control(method, url, body);
      return send(response, answer ?? toErrorAnswer(notFound()));
    }
    this.world.agenda.runDue(this.world.clock.nowMs());
    const seen = this.note(request, body);
    try {
      this.answer({ request, response, body, seen });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.reply({ response, seen }, toErrorAnswer(error));
    }
  }

  private answer(received: Received): void {
    const { request, response, body, seen } = received;
    if (seen.route === 'redirect-trap') return this.reply(received, badGateway());
    this.checkHeaders(request, body);
    this.verifier.verify(
      { method: seen.method, url: seen.url, body, authorization: request.headers.authorization },
      this.world.clock.nowMs(),
    );
    const match = matchRoute(this.routes, seen.method, pathOf(seen.url));
    if (!match) throw notFound();
    seen.fault = this.faults.take(match.route.name);
    if (this.failBefore(received)) return;
    const outcome = this.perform(match, received);
    const { fault } = seen;
    if (fault === 'hang-after') return;
    if (fault === 'reset-after') return void response.socket?.resetAndDestroy();
    if (fault === 'html-502-after') return this.reply(received, badGateway());
    if (fault === 'error-after') throw systemError();
    if (outcome instanceof ApiError) throw outcome;
    const signer = { key: this.chooseKey(seen.serial), nowMs: this.world.clock.nowMs() };
    this.reply(received, toAnswer(outcome, signer, fault));
  }

  /** An error of the business comes back as a value: faults of the answer hide it, as they hide a success. */
  private perform({ route, id }: Match, { body, seen }: Received): Outcome | ApiError {
    const query = new URL(seen.url, this.baseUrl).searchParams;
    try {
      return route.handle({ id, query, body, namedKey: this.findKey(seen.serial) });
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  /** @returns whether the request has met its end already */
  private failBefore({ response, seen }: Received): boolean {
    const { fault } = seen;
    if (fault === null) return false;
    if (typeof fault === 'object') {
      if ('rewrite' in fault) return false;
      throw new ApiError({ message: '模拟的错误', ...fault });
    }
    if (fault === 'too-many-before') throw tooMany();
    if (fault === 'rule-limit-before') {
      throw new ApiError({ status: 403, code: 'RULE_LIMIT', message: '业务规则限制' });
    }
    if (fault === 'error-before') throw systemError();
    if (fault === 'hang-before') return true;
    if (fault === 'reset-before') response.socket?.resetAndDestroy();
    else if (fault === 'html-502-before') this.reply({ response, seen }, badGateway());
    else if (fault === 'redirect-before')
      this.reply({ response, seen }, redirectTo(this.baseUrl + TRAP_PATH));
    else return false;
    return true;
  }

  private reply({ response, seen }: Pick<Received, 'response' | 'seen'>, answer: Answer): void {
    const isTruncated = seen.fault === 'truncated';
    if (!isTruncated) seen.status = answer.status;
    (isTruncated ? sendTruncated : send)(response, answer);
  }

  private checkHeaders({ headers }: IncomingMessage, body: Buffer): void {
    if (!headers.accept || !headers['user-agent']) throw paramError('Http头缺少Accept或User-Agent');
    if (body.length > 0 && !headers['content-type']?.startsWith('application/json')) {
      throw paramError('Http头Content-Type应为application/json');
    }
  }

  private chooseKey(serial: string | null): PlatformKey {
    return this.findKey(serial) ?? this.keys.platform[0];
  }

  private findKey(serial: string | null): PlatformKey | null {
    return this.keys.platform.find((key) => key.serial === serial) ?? null;
  }

  private note(request: IncomingMessage, body: Buffer): SeenRequest {
    const url = request.url ?? '/';
    const method = request.method ?? '';
    const serial = request.headers['wechatpay-serial'];
    const isTrap = pathOf(url) === TRAP_PATH;
    const seen: SeenRequest = {
      atMs: this.world.clock.nowMs(),
      method,
      url,
      route: isTrap ? 'redirect-trap' : this.nameRoute(method, url),
      serial: typeof serial === 'string' ? serial : null,
      body: body.toString('utf8'),
      fault: null,
      status: null,
    };
    this.requests.push(seen);
    if (this.requests.length > REQUESTS_KEPT_MAX) this.requests.shift();
    return seen;
  }

  private nameRoute(method: string, url: string): RouteName | null {
    const path = pathOf(url);
    return this.routes.find((route) => route.method === method && route.path.test(path))?.name ?? null;
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

function notFound(): ApiError {
  return new ApiError({ status: 404, code: 'NOT_FOUND', message: '请求的路径不存在' });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Error('the request body is larger than any of this API');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
