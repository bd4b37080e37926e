import { join } from 'node:path';
import { isPaid, statusOf } from '../../support/wechatpay-simulator/ledger.ts';
import type { Evidence, MoneySums, Row, WeChatLedger } from '../checker/evidence.ts';
import { query } from './server.ts';
import { ORDER_WAIT_MINUTES } from './world.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;
/** Of Shanghai, by whose days the statistics go. */
const SHANGHAI_AHEAD_MS = 8 * 3_600_000;
const PAID_COLUMN = '实收金额';
const REFUNDED_COLUMN = '已退金额';
const TOTAL_ROW = '合计';

type Times = { readonly healedAtMs: number; readonly quietAtMs: number };
type Setting = { readonly seed: number; readonly faults: readonly string[] };

/** Writes the binary log into the run's folder and puts all the rest together. */
export async function gatherEvidence(
  world: World,
  { seed, faults }: Setting,
  times: Times,
): Promise<Omit<Evidence, 'changes'>> {
  const database = world.databaseName;
  await world.server.writeBinlog(world.root, { database, since: world.binlogSince }, binlogFile(world.dir));
  const reports = { statistics: await askStatistics(world), export: await askExport(world) };
  return {
    setting: {
      seed,
      faults,
      server: world.server.kind,
      canaries: world.canaries,
      orderWaitMs: ORDER_WAIT_MINUTES * 60_000,
      startedAtMs: world.startedAtMs,
      ...times,
    },
    history: world.recorder.history,
    directWrites: world.recorder.directWrites,
    tables: await readTables(world),
    ledger: readLedger(world),
    reports,
    replicas: await Promise.all(world.replicas.map((replica) => replica.evidence())),
  };
}

export function binlogFile(dir: string): string {
  return join(dir, 'binlog.txt');
}

async function readTables({ root, databaseName }: World): Promise<Record<string, Row[]>> {
  const names = await query<{ name: string }>(
    root,
    'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME',
    [databaseName],
  );
  const tables = names.map(async ({ name }) => {
    const [rows] = await root.query({
      sql: `SELECT * FROM \`${name}\``,
      typeCast: (field) => field.string('utf8'),
    });
    return [name, rows as Row[]] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

function readLedger({ simulator: { ledger } }: World): WeChatLedger {
  return {
    payments: ledger.orders.flatMap((order) => {
      const { outTradeNo, payment, totalFen } = order;
      if (!payment || !isPaid(order)) return [];
      const { transactionId, successTimeMs } = payment;
      return [{ outTradeNo, transactionId, amountFen: totalFen, paidAtMs: successTimeMs }];
    }),
    refunds: ledger.refunds.map((refund) => ({
      outRefundNo: refund.outRefundNo,
      outTradeNo: refund.order.outTradeNo,
      refundFen: refund.refundFen,
      status: statusOf(refund),
      timesApplied: ledger.movements.filter(
        ({ kind, businessNo, voucherNo }) =>
          kind === 'refund' &&
          [businessNo, voucherNo].some((no) => [refund.outRefundNo, refund.refundId].includes(no)),
      ).length,
    })),
  };
}

async function askStatistics(world: World): Promise<MoneySums | null> {
  const day = (ms: number) => new Date(ms + SHANGHAI_AHEAD_MS).toISOString().slice(0, 10);
  const range = `from=${day(world.startedAtMs - DAY_MS)}&to=${day(Date.now() + DAY_MS)}`;
  const { answer } = await ask(world, `/api/admin/statistics/daily?${range}`);
  const total = (answer as { data?: { total?: Record<string, unknown> } } | null)?.data?.total;
  if (!total) return null;
  return { paidFen: Number(total.paidFen), refundedFen: Number(total.refundedFen) };
}

async function askExport(world: World): Promise<MoneySums | null> {
  const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
  const range = `from=${iso(world.startedAtMs - DAY_MS)}&to=${iso(Date.now() + DAY_MS)}`;
  const { answer } = await ask(world, `/api/admin/export/orders?${range}`);
  const lines = (typeof answer === 'string' ? answer : '').replace(/^\uFEFF/, '').split(/\r?\n/);
  // No cell of these columns has a comma or a quote in it, and neither have those before them.
  const headings = lines[0]?.split(',') ?? [];
  const total = lines.find((line) => line.startsWith(TOTAL_ROW))?.split(',');
  if (!total) return null;
  const cell = (name: string) => total[headings.findIndex((heading) => heading.startsWith(name))];
  return { paidFen: toFen(cell(PAID_COLUMN)), refundedFen: toFen(cell(REFUNDED_COLUMN)) };
}

function ask(world: World, path: string): Promise<{ answer: unknown }> {
  const headers = { Authorization: `Bearer ${world.adminToken}` };
  return world.recorder.send({ client: 'operator', to: world.shop.anyUp(0), method: 'GET', path, headers });
}

/** Yuan in decimals, as text. */
function toFen(yuan: unknown): number {
  const [, whole = '', cents = ''] = /^(\d+)\.(\d\d)$/.exec(String(yuan).trim()) ?? [];
  return whole === '' ? NaN : Number(whole) * 100 + Number(cents);
}
