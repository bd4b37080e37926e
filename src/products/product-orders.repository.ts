import { Injectable } from '@nestjs/common';
import { listNewestFirst } from '../platform/database/newest-first.js';
import type { TimePosition } from '../platform/database/newest-first.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Money } from '../shared/money.js';
import type { PageRequest } from '../shared/page.js';
import type { ProductOrderState } from './product-order.state.js';
import type { ProductOrderFilter, ProductOrderRecord } from './product-orders.types.js';

type Row = {
  id: string;
  user_id: string;
  generation_id: string | null;
  product_type: string;
  product_price: string;
  shipping_name: string | null;
  shipping_phone: string | null;
  shipping_address: string | null;
  status: ProductOrderState;
  batch_id: string | null;
  created_at: Date | null;
  updated_at: Date | null;
};

/** A server that is not strict keeps an unknown status as ''. */
const STATUS = "COALESCE(NULLIF(p.status, ''), 'pending')";
const SELECT = `SELECT p.id, p.user_id, p.generation_id, p.product_type, p.product_price, p.shipping_name,
       p.shipping_phone, p.shipping_address, ${STATUS} AS status, b.batch_id, p.created_at, p.updated_at
  FROM product_orders p LEFT JOIN product_order_batch_items b ON b.product_order_id = p.id`;

@Injectable()
export class ProductOrdersRepository {
  async list(
    tx: Tx,
    filter: ProductOrderFilter,
    page: PageRequest<TimePosition>,
  ): Promise<ProductOrderRecord[]> {
    const rows = await listNewestFirst<Row>(tx, {
      select: SELECT,
      time: 'p.created_at',
      id: 'p.id',
      conditions: [
        [`${STATUS} = ?`, filter.status],
        ['p.user_id = ?', filter.userId],
        ['p.created_at >= ?', filter.from],
        ['p.created_at < ?', filter.to],
      ],
      page,
    });
    return rows.map(toRecord);
  }

  async find(tx: Tx, id: string): Promise<ProductOrderRecord | null> {
    const [row] = await tx.query<Row[]>(`${SELECT} WHERE p.id = ?`, [id]);
    return row ? toRecord(row) : null;
  }

  async lockStatus(tx: Tx, id: string): Promise<ProductOrderState | null> {
    const [row] = await tx.query<{ status: ProductOrderState }[]>(
      `SELECT ${STATUS} AS status FROM product_orders p WHERE p.id = ? FOR UPDATE`,
      [id],
    );
    return row?.status ?? null;
  }

  /** The oldest orders in the state that stand in no batch, and that nobody else is changing at this moment. */
  async lockUnbatchedIds(tx: Tx, status: ProductOrderState, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT p.id FROM product_orders p
        WHERE p.status = ? AND NOT EXISTS (SELECT 1 FROM product_order_batch_items b WHERE b.product_order_id = p.id)
        ORDER BY p.created_at, p.id LIMIT ? FOR UPDATE SKIP LOCKED`,
      [status, limit],
    );
    return rows.map(({ id }) => id);
  }

  /** How many changed: those that were in one of the states of `from`. */
  async changeStatus(
    tx: Tx,
    ids: readonly string[],
    change: { readonly from: readonly ProductOrderState[]; readonly to: ProductOrderState },
  ): Promise<number> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE product_orders p SET p.status = ? WHERE p.id IN (?) AND ${STATUS} IN (?)`,
      [change.to, ids, change.from],
    );
    return result.affectedRows;
  }

  async insertBatch(
    tx: Tx,
    batch: { readonly id: string; readonly orderIds: readonly string[]; readonly by: string },
  ): Promise<void> {
    await tx.query(
      'INSERT INTO product_order_batch_items (product_order_id, batch_id, exported_by) VALUES ?',
      [batch.orderIds.map((orderId) => [orderId, batch.id, batch.by])],
    );
  }

  async listBatch(tx: Tx, batchId: string): Promise<ProductOrderRecord[]> {
    const rows = await tx.query<Row[]>(`${SELECT} WHERE b.batch_id = ? ORDER BY p.created_at, p.id`, [
      batchId,
    ]);
    return rows.map(toRecord);
  }
}

function toRecord(row: Row): ProductOrderRecord {
  return {
    id: row.id,
    userId: row.user_id,
    generationId: row.generation_id,
    productType: row.product_type,
    price: Money.parseYuan(row.product_price),
    shippingName: row.shipping_name,
    shippingPhone: row.shipping_phone,
    shippingAddress: row.shipping_address,
    status: row.status,
    batchId: row.batch_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
