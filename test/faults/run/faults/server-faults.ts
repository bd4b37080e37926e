import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../support/random.ts';
import { PACKAGE_FEN, USERS } from '../plan.ts';
import { query } from '../server.ts';
import type { Sale } from '../shop.ts';
import type { World } from '../world.ts';
import type { Fault } from './fault.ts';

type Disturbance = (world: World, chance: Random) => Promise<void>;

const AWAY_MS_MAX = 1_500;
const FROZEN_MS_MIN = 1_200;
const FROZEN_MS_SPREAD = 2_500;
/** Longer than the second that the backend waits for a row by far, so that many wait in vain. */
const LOCKED_MS = 2_500;
const LOCKED_ROWS = 50;
const LATE_PAYMENTS = 12;
const SESSIONS_KILLED = 5;
const READ_ONLY_MS = 1_500;
const FEW_CONNECTIONS_MS = 1_500;

export const killServer: Fault = async ({ server }, chance) => {
  await server.kill();
  await sleep(chance.below(AWAY_MS_MAX));
  await server.startAgain();
};

export const freezeServer: Fault = async ({ server }, chance) => {
  server.freeze();
  try {
    await sleep(FROZEN_MS_MIN + chance.below(FROZEN_MS_SPREAD));
  } finally {
    server.thaw();
  }
};

/** One of an administrator's or a rival's ways to be in the way. */
export const disturbSessions: Fault = async (world, chance) => {
  for (const disturb of [lockOrders, lockUsers, killSessions, makeReadOnly, leaveFewConnections]) {
    await disturb(world, chance);
    await sleep(chance.below(300));
  }
};

const lockOrders = (world: World): Promise<void> =>
  lockRows(
    world,
    `SELECT o.id FROM payment_orders o JOIN users u ON u.id = o.user_id ORDER BY o.created_at DESC LIMIT ${LOCKED_ROWS} FOR UPDATE`,
  );

/**
 * Whoever has an order's row waits for its user's, with the half done: payments of orders that were given up are recorded one
 * by one, and their orders turn paid before the user's turn comes.
 */
const lockUsers: Disturbance = async (world, chance) => {
  const givenUp: Sale[] = [];
  for (let made = 0; made < LATE_PAYMENTS; made += 1) {
    const sale = world.shop.open('premium', chance.below(USERS));
    const row = { ...sale, amountFen: PACKAGE_FEN.premium, status: 'failed' as const };
    if (await world.functions.insertOrder(row)) givenUp.push(sale);
  }
  await lockRows(world, 'SELECT id FROM users FOR UPDATE', async () => {
    for (const sale of givenUp) {
      world.shop.pay(sale);
      await world.shop.callback(sale, world.shop.anyUp(chance.below(2)));
    }
  });
};

async function lockRows(
  { root }: World,
  sql: string,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const rival = await root.getConnection();
  try {
    await rival.beginTransaction();
    await query(rival, sql);
    await Promise.all([sleep(LOCKED_MS), meanwhile()]);
    await rival.rollback();
    rival.release();
  } catch {
    rival.destroy(); // it may be the victim of a deadlock itself
  }
}

async function killSessions({ root, appUser }: World): Promise<void> {
  const sessions = await query<{ id: number | string }>(
    root,
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ? LIMIT ${SESSIONS_KILLED}`,
    [appUser],
  );
  for (const { id } of sessions) {
    try {
      await query(root, `KILL ${Number(id)}`);
    } catch (error) {
      if (!(error instanceof Error && 'errno' in error)) throw error; // it has ended by itself
    }
  }
}

async function makeReadOnly({ root }: World): Promise<void> {
  await query(root, 'SET GLOBAL read_only = 1');
  try {
    await sleep(READ_ONLY_MS);
  } finally {
    await query(root, 'SET GLOBAL read_only = 0');
  }
}

async function leaveFewConnections(world: World): Promise<void> {
  const { root, appUser } = world;
  await query(root, `ALTER USER ?@'%' WITH MAX_USER_CONNECTIONS 2`, [appUser]);
  try {
    await killSessions(world);
    await sleep(FEW_CONNECTIONS_MS);
  } finally {
    await query(root, `ALTER USER ?@'%' WITH MAX_USER_CONNECTIONS 0`, [appUser]);
  }
}
