import {
  READY_PATH,
  startBareFastify,
  startGroupInsert,
  startOurs,
  startOursWithoutDatabase,
  startTextbookPeer,
} from './contenders.ts';
import type { Readiness } from './contenders.ts';
import { countRows, findUngranted, untilApplied } from './grants.ts';
import type { Lab } from './lab.ts';
import { LOOPBACK } from './library.ts';
import { lineOf } from './measurement.ts';
import { notifyBody, orderCreatedBody } from './orders.ts';
import { seedOrders } from './seed.ts';
import { getJson } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

const NOTIFY = { path: '/api/payment/internal/notify', bodyAt: notifyBody };
export const ORDER_CREATED = { path: '/api/payment/internal/order-created', bodyAt: orderCreatedBody };
const PRICES = { path: '/api/prices/current' };

export type Range = { readonly firstIndex: number; readonly count: number };

/** A round of requests, and where it happens: the orders of earlier rounds stay in the tables. */
export type Round = {
  readonly connections: number;
  readonly database: string;
  readonly orders: Range;
};

const LIMITED = {
  'notify, accepted': NOTIFY,
  'order-created, accepted': ORDER_CREATED,
  'order-created, MySQL away': ORDER_CREATED,
  'GET prices/current': PRICES,
} as const;

/** What is kept: where it lands, and what is done with it in the end. */
const KEPT = {
  notices: {
    accepted: 'notify, accepted',
    done: 'notify, fulfilled',
    target: NOTIFY,
    table: 'entitlement_grants',
  },
  orders: {
    accepted: 'order-created, accepted',
    done: 'order-created, synced',
    target: ORDER_CREATED,
    table: 'payment_orders',
  },
} as const;

/** The limit of what keeps nothing. */
export async function measureBareFastify(
  lab: Lab,
  work: 'order-created, MySQL away' | 'GET prices/current',
  connections: number,
): Promise<void> {
  await withServer(startBareFastify(lab.workDir), (server) =>
    lab.measure({ work, contender: 'bare Fastify', connections, server, target: LIMITED[work] }),
  );
}

/** The limit of what is kept in the database. */
export async function measureGroupInsert(
  lab: Lab,
  work: 'notify, accepted' | 'order-created, accepted',
  { connections, database }: Round,
): Promise<void> {
  await withServer(startGroupInsert(lab.workDir, lab.database.address, database), (server) =>
    lab.measure({ work, contender: 'group insert', connections, server, target: LIMITED[work] }),
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
    lab.record(lineOf({ ...about, work: 'notify, fulfilled', perSecond }));
    const acknowledged = [...outcome.warmUpAcknowledged, ...outcome.acknowledged];
    for (const problem of await findUngranted(connection, database, acknowledged))
      lab.reportError({ ...about, work }, problem);
  });
}

/** Accepted is what was answered; done is what was granted, or has its row, from the first POST to the last of it. */
export async function measureOurKept(lab: Lab, what: keyof typeof KEPT, round: Round): Promise<void> {
  const { connections, database, orders } = round;
  const { accepted, done, target, table } = KEPT[what];
  const { address, connection } = lab.database;
  const about = { contender: 'ours', connections } as const;
  lab.step('starting our backend; the first time it creates its tables');
  await withServer(startOurs(lab.workDir, address, database), async (server) => {
    if (what === 'notices') {
      lab.step(`seeding ${orders.count} orders for ours`);
      await seedOrders(connection, database, orders);
    }
    let before = 0;
    const outcome = await lab.measure({
      ...about,
      work: accepted,
      server,
      target,
      orders,
      afterWarmUp: async () => {
        await untilApplied(connection, database);
        before = await countRows(connection, database, table);
      },
    });
    lab.step('waiting until all of it is applied');
    const appliedMs = await untilApplied(connection, database);
    const made = (await countRows(connection, database, table)) - before;
    const perSecond = (made / (appliedMs - outcome.startedAtMs)) * 1000;
    const residentMb = server.residentMb() ?? null;
    lab.record(lineOf({ ...about, work: done, perSecond, residentMb }));
    const acknowledged = [...outcome.warmUpAcknowledged, ...outcome.acknowledged];
    const problems =
      what === 'notices'
        ? await findUngranted(connection, database, acknowledged)
        : missing(made, outcome.acknowledged);
    for (const problem of problems) lab.reportError({ ...about, work: done }, problem);
  });
}

function missing(made: number, acknowledged: readonly number[]): string[] {
  return made < acknowledged.length
    ? [`${acknowledged.length} orders were accepted, and ${made} rows made`]
    : [];
}

/** Into a spool; how long such a process takes to its first answer is told as well. */
export async function measureOurSpool(lab: Lab, connections: number): Promise<void> {
  const about = { work: 'order-created, MySQL away', contender: 'ours', connections } as const;
  await withServer(startOursWithoutDatabase(lab.workDir), async (server) => {
    const residentMb = server.residentMb() ?? null;
    lab.record(
      lineOf({ work: 'boot', contender: 'ours', connections: null, p50Ms: server.bootMs, residentMb }),
    );
    const outcome = await lab.measure({ ...about, server, target: ORDER_CREATED });
    const accepted = outcome.warmUpAcknowledged.length + outcome.acknowledged.length;
    const depth = (await readReadiness(server))?.spool?.depth ?? 0;
    if (depth < accepted)
      lab.reportError(about, `${accepted} orders were accepted, and ${depth} are in the spool`);
  });
}

export async function measureOurPrices(
  lab: Lab,
  { connections, database }: Pick<Round, 'connections' | 'database'>,
): Promise<void> {
  const { address } = lab.database;
  const work = 'GET prices/current';
  await withServer(startOurs(lab.workDir, address, database), (server) =>
    lab.measure({ work, contender: 'ours', connections, server, target: PRICES }),
  );
}

export function readReadiness({ port }: ServerProcess): Promise<Readiness | null | undefined> {
  return getJson<Readiness>(`http://${LOOPBACK}:${port}${READY_PATH}`);
}

export async function withServer<T>(
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
