import { expect } from 'vitest';
import type { AdminClient } from './admin.js';
import { newOutTradeNo } from './builders.js';
import { readCsv } from './csv.js';
import type { TestDatabase } from './database.js';

/** The rows as objects by heading, without the unit and the zone of it. */
export async function exported(operator: AdminClient, path: string): Promise<Record<string, string>[]> {
  const answer = await operator.get(path);
  expect([path, answer.status, answer.headers['content-type']]).toEqual([
    path,
    200,
    'text/csv; charset=utf-8',
  ]);
  expect(answer.text.startsWith('\uFEFF')).toBe(true);
  const [headings = [], ...rows] = readCsv(answer.text.slice(1));
  return rows.map((cells) => {
    expect(cells).toHaveLength(headings.length);
    return Object.fromEntries(
      cells.map((cell, at) => [headings[at]?.replace(/（.*）$/, ''), cell.replace(/\t$/, '')]),
    );
  });
}

/** A row as a cloud function writes it. */
export async function insertRefund(
  database: TestDatabase,
  outTradeNo: string,
  changes: Record<string, unknown> = {},
): Promise<void> {
  const row = {
    id: `refund-${newOutTradeNo()}`,
    out_refund_no: `R${newOutTradeNo()}`,
    out_trade_no: outTradeNo,
    refund_amount: '10.00',
    total_amount: '29.90',
    status: 'success',
    refunded_at: new Date('2026-01-11T00:00:00Z'),
    created_at: new Date('2026-01-10T00:00:00Z'),
    ...changes,
  };
  await database.query('INSERT INTO refunds SET ?', [row]);
}

/** What this backend knows for certain of a refund. */
export async function settle(
  database: TestDatabase,
  refund: { outRefundNo: string; outTradeNo: string; refundFen: number; status?: string },
): Promise<void> {
  const { outRefundNo, outTradeNo, refundFen, status = 'success' } = refund;
  await database.query('INSERT INTO refund_settlements SET ?', [
    {
      out_refund_no: outRefundNo,
      out_trade_no: outTradeNo,
      origin: 'foreign',
      stage: 'accepted',
      status,
      refund_fen: refundFen,
      order_fen: 2990,
    },
  ]);
}

/** Many to a second, and more seconds than one. */
export async function insertManyOrders(
  database: TestDatabase,
  count: number,
  textLength = 10,
): Promise<void> {
  await database.query(
    "INSERT INTO users (id) SELECT 'user-many' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = 'user-many')",
  );
  for (let first = 0; first < count; first += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, count - first) }, (_, offset) => {
      const at = first + offset;
      const id = String((at * 7919) % count).padStart(6, '0');
      const createdAt = new Date(Date.UTC(2026, 0, 10) + Math.floor(at / 2_500) * 1000);
      return [
        `order-${id}`,
        'user-many',
        'user-many',
        `17063456789${id}`,
        `${at % 90}.${String(at % 100).padStart(2, '0')}`,
        'premium',
        'paid',
        createdAt,
        'x'.repeat(textLength),
      ];
    });
    await database.query(
      'INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, status, created_at, refund_reason) VALUES ?',
      [rows],
    );
  }
}
