import {
  READY_PATH,
  startBareFastify,
  startOurs,
  startOursWithoutDatabase,
  startTextbookPeer,
} from './contenders.ts';
import type { Readiness } from './contenders.ts';
import { countGrants, findUngranted, untilApplied } from './grants.ts';
import type { Lab } from './lab.ts';
import { LOOPBACK } from './library.ts';
import { notifyBody, orderCreatedBody } from './orders.ts';
import { seedOrders } from './seed.ts';
import { getJson } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

const NOTIFY = { path: '/api/payment/internal/notify', bodyAt: notifyBody };
const ORDER_CREATED = { path: '/api/payment/internal/order-created', bodyAt: orderCreatedBody };
const PRICES = { path: '/api/prices/current' };

/** A round of notices, and where it happens: the orders of earlier rounds stay in the tables. */
export type Round = {
  readonly connections: number;
  readonly database: string;
  readonly orders: { readonly firstIndex: number; readonly count: number };
};

const LIMITED = {
  'notify, accepted': NOTIFY,
  'order-created, MySQL away': ORDER_CREATED,
  'GET prices/current': PRICES,
} as const;

export async function measureBareFastify(
  lab: Lab,
  work: keyof typeof LIMITED,
  connections: number,
): Promise<void> {
  await withServer(startBareFastify(lab.workDir), (server) =>
    lab.measure({ work, contender: 'bare Fastify', connections, server, target: LIMITED[work] }),
  );
}

/** The peer grants before it answers: what it accepted is fulfilled. */
export async function measureTextbookNotices(lab: Lab, round: Round): Promise<void> {
  const { connections, database, orders } = round;
  const { address, connection } = lab.database;
  const about = { contender: 'textbook peer', connections } as const;
  lab.step(`seeding ${orders.count} orders for the textbook peer`);
  await seedOrders(connection, database, orders);
  await withServer(startTextbookPeer(lab.workDir, address, database), async (server) => {
    const work = 'notify, accepted';
    const outcome = await lab.measure({ ...about, work, server, target: NOTIFY, orders });
    const { perSecond } = outcome;
    const none = { p50Ms: null, p99Ms: null, non2xx: null, residentMb: null };
    lab.record({ ...about, ...none, work: 'notify, fulfilled', perSecond });
    const acknowledged = [...outcome.warmUpAcknowledged, ...outcome.acknowledged];
    for (const problem of await findUngranted(connection, database, acknowledged))
      lab.reportError({ ...about, work }, problem);
  });
}

/** Accepted is what was answered; fulfilled is what was granted, from the first POST to the last grant. */
export async function measureOurNotices(lab: Lab, round: Round): Promise<void> {
  const { connections, database, orders } = round;
  const { address, connection } = lab.database;
  const about = { contender: 'ours', connections } as const;
  lab.step('starting our backend; the first time it creates its tables');
  await withServer(startOurs(lab.workDir, address, database), async (server) => {
    lab.step(`seeding ${orders.count} orders for ours`);
    await seedOrders(connection, database, orders);
    let grantsBefore = 0;
    const outcome = await lab.measure({
      ...about,
      work: 'notify, accepted',
      server,
      target: NOTIFY,
      orders,
      afterWarmUp: async () => {
        await untilApplied(connection, database);
        grantsBefore = await countGrants(connection, database);
      },
    });
    lab.step('waiting for the last grant');
    const appliedMs = await untilApplied(connection, database);
    const granted = (await countGrants(connection, database)) - grantsBefore;
    const perSecond = (granted / (appliedMs - outcome.startedAtMs)) * 1000;
    const residentMb = server.residentMb() ?? null;
    const work = 'notify, fulfilled';
    lab.record({ ...about, work, perSecond, p50Ms: null, p99Ms: null, non2xx: null, residentMb });
    const acknowledged = [...outcome.warmUpAcknowledged, ...outcome.acknowledged];
    for (const problem of await findUngranted(connection, database, acknowledged))
      lab.reportError({ ...about, work }, problem);
  });
}

export async function measureOurSpool(lab: Lab, connections: number): Promise<void> {
  const about = { work: 'order-created, MySQL away', contender: 'ours', connections } as const;
  await withServer(startOursWithoutDatabase(lab.workDir), async (server) => {
    const outcome = await lab.measure({ ...about, server, target: ORDER_CREATED });
    const accepted = outcome.warmUpAcknowledged.length + outcome.acknowledged.length;
    const report = await getJson<Readiness>(`http://${LOOPBACK}:${server.port}${READY_PATH}`);
    const depth = report?.spool?.depth ?? 0;
    if (depth < accepted)
      lab.reportError(about, `${accepted} orders were accepted, and ${depth} are in the spool`);
  });
}

export async function measureOurPrices(lab: Lab, round: Round): Promise<void> {
  const { address } = lab.database;
  await withServer(startOurs(lab.workDir, address, round.database), (server) =>
    lab.measure({
      work: 'GET prices/current',
      contender: 'ours',
      connections: round.connections,
      server,
      target: PRICES,
    }),
  );
}

async function withServer<T>(
  starting: Promise<ServerProcess>,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const server = await starting;
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
