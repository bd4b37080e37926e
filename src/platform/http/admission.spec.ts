import { get } from 'node:http';
import { fastify } from 'fastify';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ADMIN_AT_ONCE_MAX,
  ADMIN_WAITING_MAX,
  Admission,
  admitInOrder,
  laneOf,
  PAYMENTS_BEFORE_ADMIN,
  PAYMENTS_BEFORE_EXPORT,
} from './admission.js';
import type { Lane } from './admission.js';

const BUSY = { code: 'busy', kind: 'unavailable' };

let admission: Admission;

beforeEach(() => {
  admission = new Admission();
});

const enter = (count: number, lane: Lane) =>
  Promise.all(Array.from({ length: count }, () => admission.enter(lane)));

/** How many of those that enter got their turn so far. */
function countTurns(count: number): { turns: number } {
  const told = { turns: 0 };
  for (let entered = 0; entered < count; entered += 1) {
    void admission.enter('admin').then(() => (told.turns += 1));
  }
  return told;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Admission', () => {
  // Prevents operators and their scripts from taking what the orders need (fault 23).
  it('works on a few requests of operators at once, the others in turn', async () => {
    const told = countTurns(ADMIN_AT_ONCE_MAX + 2);
    await settle();
    expect(told.turns).toBe(ADMIN_AT_ONCE_MAX);
    admission.leave('admin');
    await settle();
    expect(told.turns).toBe(ADMIN_AT_ONCE_MAX + 1);
  });

  it('refuses what would wait too long, and admits again when there is room', async () => {
    const told = countTurns(ADMIN_AT_ONCE_MAX + ADMIN_WAITING_MAX);
    await expect(admission.enter('admin')).rejects.toMatchObject(BUSY);
    for (let left = 0; left < ADMIN_AT_ONCE_MAX + ADMIN_WAITING_MAX; left += 1) admission.leave('admin');
    await settle();
    expect(told.turns).toBe(ADMIN_AT_ONCE_MAX + ADMIN_WAITING_MAX);
    await enter(ADMIN_AT_ONCE_MAX, 'admin');
  });

  it('never lets a payment wait, and admits no export while operators have no free place', async () => {
    await enter(ADMIN_AT_ONCE_MAX, 'admin');
    await enter(1, 'payment');
    await expect(admission.enter('export')).rejects.toMatchObject(BUSY);
    admission.leave('admin');
    await enter(1, 'export');
  });

  it('turns exports away before requests of operators, and never a payment', async () => {
    await enter(PAYMENTS_BEFORE_EXPORT, 'payment');
    await expect(admission.enter('export')).rejects.toMatchObject(BUSY);
    await enter(1, 'admin');
    await enter(PAYMENTS_BEFORE_ADMIN - PAYMENTS_BEFORE_EXPORT, 'payment');
    await expect(admission.enter('admin')).rejects.toMatchObject(BUSY);
    await enter(10 * PAYMENTS_BEFORE_ADMIN, 'payment');
    for (let left = 0; left < 11 * PAYMENTS_BEFORE_ADMIN; left += 1) admission.leave('payment');
    await enter(1, 'admin');
    await enter(1, 'export');
  });
});

describe('admitInOrder', () => {
  // Prevents places that are never given back: six clients that hang up would end the admin API until the next start.
  it('gives back the place of a client that went, while it waited or while it was served', async () => {
    const server = fastify();
    admitInOrder(server, new Admission());
    let began = 0;
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    server.get('/slow', { config: { lane: 'admin' } }, async () => {
      began += 1;
      await finished;
      return 'slow';
    });
    server.get('/quick', { config: { lane: 'admin' } }, async () => 'quick');
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    const clients = Array.from({ length: ADMIN_AT_ONCE_MAX + ADMIN_WAITING_MAX }, () =>
      get(`${address}/slow`, { agent: false }).on('error', () => undefined),
    );
    await vi.waitFor(() => expect(began).toBe(ADMIN_AT_ONCE_MAX));
    for (const client of clients) client.destroy();
    finish();
    await vi.waitFor(async () => {
      const statuses = await Promise.all(
        Array.from({ length: ADMIN_AT_ONCE_MAX }, async () => (await fetch(`${address}/quick`)).status),
      );
      expect(statuses).toEqual(statuses.map(() => 200));
    });
    await server.close();
  });

  // Prevents requests without a token, which cost nothing to make, from taking the places of operators.
  it('leaves a route that a token opens to its guard, and gives back the place that this one took', async () => {
    const server = fastify();
    const admission = new Admission();
    admitInOrder(server, admission);
    const config = { lane: 'admin', permission: 'orders:read' };
    server.get('/guarded', { config }, async (request, reply) => {
      if (!request.headers.authorization) return reply.code(401).send();
      await admission.admit(request);
      return 'let in';
    });
    const statuses = async (count: number, headers: Record<string, string>) => {
      const url = '/guarded';
      const answers = await Promise.all(Array.from({ length: count }, () => server.inject({ url, headers })));
      return [...new Set(answers.map(({ statusCode }) => statusCode))];
    };
    const all = ADMIN_AT_ONCE_MAX + ADMIN_WAITING_MAX;
    const authorization = 'Bearer of a token';
    const refused = statuses(5 * all, {});
    expect(await statuses(all, { authorization })).toEqual([200]);
    expect(await refused).toEqual([401]);
    expect(await statuses(all, { authorization })).toEqual([200]);
    await server.close();
  });
});

describe('laneOf', () => {
  it.each([
    [{ url: '/api/prices/current' }, undefined],
    [{ url: '/api/x', config: { lane: 'payment' } }, 'payment'],
    [{ url: '/docs' }, 'export'],
    [{ url: '/docs-json' }, 'export'],
    [{ url: '/docs/*' }, 'export'],
    [{ url: '/docstore' }, undefined],
    [{}, undefined],
  ])('of %j is %s', (route, lane) => {
    expect(laneOf(route)).toBe(lane);
  });
});
