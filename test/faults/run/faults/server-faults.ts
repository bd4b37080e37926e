import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '../server.ts';
import type { World } from '../world.ts';
import type { Fault } from './fault.ts';

const AWAY_MS_MAX = 1_500;
const FROZEN_MS_MIN = 1_200;
const FROZEN_MS_SPREAD = 2_500;
/** Longer than the second that the backend waits for a row by far, so that many wait in vain. */
const LOCKED_MS = 2_500;
const LOCKED_ROWS = 50;
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
    await disturb(world);
    await sleep(chance.below(300));
  }
};

const lockOrders = (world: World): Promise<void> =>
  lockRows(
    world,
    `SELECT o.id FROM payment_orders o JOIN users u ON u.id = o.user_id ORDER BY o.created_at DESC LIMIT ${LOCKED_ROWS} FOR UPDATE`,
  );

/** Whoever has an order's row waits for its user's, with the half done. */
const lockUsers = (world: World): Promise<void> => lockRows(world, 'SELECT id FROM users FOR UPDATE');

async function lockRows({ root }: World, sql: string): Promise<void> {
  const rival = await root.getConnection();
  try {
    await rival.beginTransaction();
    await query(rival, sql);
    await sleep(LOCKED_MS);
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
