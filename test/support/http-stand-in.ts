import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedRequest = {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** What comes back; `hang` never answers, `reset` cuts the connection. */
export type StandInAnswer =
  | 'hang'
  | 'reset'
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
      /** The body is begun and never ended. */
      readonly isEndless?: boolean;
    };

/** Somebody else's server on this machine, which keeps what it was sent and answers as a test says. */
export class HttpStandIn {
  readonly requests: ReceivedRequest[] = [];
  private readonly server: Server;

  private constructor(
    private readonly answer: (request: ReceivedRequest) => StandInAnswer | Promise<StandInAnswer>,
  ) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(
    answer: (request: ReceivedRequest) => StandInAnswer | Promise<StandInAnswer>,
  ): Promise<HttpStandIn> {
    const standIn = new HttpStandIn(answer);
    await new Promise<void>((resolve) => standIn.server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.requests.push(received);
    const answer = await this.answer(received);
    if (answer === 'hang') return;
    if (answer === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, answer.headers);
    if (answer.isEndless) response.write(answer.body ?? 'x');
    else response.end(answer.body);
  }
}
