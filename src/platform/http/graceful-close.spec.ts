import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { closeGracefully } from './graceful-close.js';

const ASKED_EVERY_MS = 20;
const MOMENT_MS = 200;
const CLOSED_WITHIN_MS = 6_000;

const agents: Agent[] = [];

afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

async function listen(): Promise<{ server: FastifyInstance; address: string }> {
  const server = fastify({ return503OnClosing: false, forceCloseConnections: 'idle' });
  closeGracefully(server);
  server.get('/', async () => 'answer');
  return { server, address: await server.listen({ port: 0, host: '127.0.0.1' }) };
}

type Heard = { readonly status: number; readonly connection: string | undefined };

function ask(address: string, agent: Agent): Promise<Heard> {
  return new Promise((resolve, reject) => {
    get(address, { agent }, (response) => {
      const heard = { status: response.statusCode ?? 0, connection: response.headers.connection };
      response.resume().on('end', () => resolve(heard));
    }).on('error', reject);
  });
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  agents.push(agent);
  return agent;
}

describe('closeGracefully', () => {
  // Prevents a POST on a connection that the server closes at that moment: nobody may repeat it (fault 20).
  it('serves whoever has not noticed yet, tells them to close, and closes when they went', async () => {
    const { server, address } = await listen();
    const agent = keepAlive();
    expect((await ask(address, agent)).connection).toBe('keep-alive');
    const closed = server.close();
    const heard: Heard[] = [];
    for (const overMs = performance.now() + MOMENT_MS; performance.now() < overMs;) {
      heard.push(await ask(address, agent));
      await sleep(ASKED_EVERY_MS);
    }
    expect(new Set(heard.map(({ status, connection }) => `${status} ${connection}`))).toEqual(
      new Set(['200 close']),
    );
    await closed;
    await expect(ask(address, agent)).rejects.toThrow('ECONNREFUSED');
  });

  it('closes at once when nobody asks', async () => {
    const { server, address } = await listen();
    const startedMs = performance.now();
    await server.close();
    expect(performance.now() - startedMs).toBeLessThan(MOMENT_MS);
    await expect(ask(address, keepAlive())).rejects.toThrow('ECONNREFUSED');
  });

  // Prevents a stop that a caller without a balancer puts off until the process is killed.
  it('does not wait for ever for a caller who never goes', async () => {
    const { server, address } = await listen();
    await ask(address, keepAlive());
    let isClosed = false;
    const closed = server.close().then(() => (isClosed = true));
    const agent = keepAlive();
    const giveUpMs = performance.now() + CLOSED_WITHIN_MS;
    while (!isClosed && performance.now() < giveUpMs) {
      await ask(address, agent).catch(() => undefined);
      await sleep(ASKED_EVERY_MS);
    }
    expect(isClosed).toBe(true);
    await closed;
  }, 15_000);
});
