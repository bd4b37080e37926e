import type mysql from 'mysql2/promise';
import type { Recorder } from './recorder.ts';
import { query } from './server.ts';

export type Person = { readonly id: string; readonly openid: string };

export type OrderRow = {
  readonly outTradeNo: string;
  readonly person: Person;
  readonly amountFen: number;
  readonly packageType: string;
  readonly status?: 'pending' | 'paid' | 'failed';
};

const DUPLICATE_ENTRY = 1062;

/** What the cloud functions write into the shared tables, with a connection of their own and past the backend. */
export class Functions {
  private readonly pool: mysql.Pool;
  private readonly recorder: Recorder;

  constructor(pool: mysql.Pool, recorder: Recorder) {
    this.pool = pool;
    this.recorder = recorder;
  }

  /** @returns whether the row is there for certain; the function falls back on the backend when it is not */
  async insertOrder(row: OrderRow): Promise<boolean> {
    const { outTradeNo, person, packageType, status = 'pending' } = row;
    try {
      await this.findOrCreateUser(person);
      await query(this.pool, 'INSERT INTO payment_orders SET ?', [
        {
          id: `order-${outTradeNo.slice(0, 13)}-${outTradeNo.slice(13)}f`,
          user_id: person.id,
          generation_id: person.id,
          out_trade_no: outTradeNo,
          amount: yuan(row.amountFen),
          package_type: packageType,
          status,
          _openid: person.openid,
        },
      ]);
      this.recorder.wrote({ what: 'order_created', outTradeNo });
      return true;
    } catch (error) {
      return isDuplicate(error);
    }
  }

  /** As the callback function does: the row turns to paid. @returns whether it did for certain */
  async markPaid(outTradeNo: string, payment: { transactionId: string; paidAtMs: number }): Promise<boolean> {
    try {
      const [result] = await this.pool.query<mysql.ResultSetHeader>({
        sql: "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = ? WHERE out_trade_no = ? AND status = 'pending'",
        values: [payment.transactionId, wholeSeconds(payment.paidAtMs), outTradeNo],
        timeout: 5_000,
      });
      if (result.affectedRows === 0) return false;
      this.recorder.wrote({ what: 'order_paid', outTradeNo });
      return true;
    } catch {
      this.recorder.wrote({ what: 'order_paid_tried', outTradeNo });
      return false; // away, or unknown: the binary log knows
    }
  }

  /** Holds the transaction open as long as `work` takes, and commits then. */
  async markPaidLate(
    outTradeNo: string,
    payment: { transactionId: string; paidAtMs: number },
    work: () => Promise<unknown>,
  ): Promise<void> {
    const connection = await this.pool.getConnection();
    try {
      await connection.beginTransaction();
      const [result] = await connection.query<mysql.ResultSetHeader>(
        "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = ? WHERE out_trade_no = ? AND status = 'pending'",
        [payment.transactionId, wholeSeconds(payment.paidAtMs), outTradeNo],
      );
      await work();
      await connection.commit();
      if (result.affectedRows > 0) this.recorder.wrote({ what: 'order_paid', outTradeNo });
      connection.release();
    } catch {
      this.recorder.wrote({ what: 'order_paid_tried', outTradeNo });
      connection.destroy(); // the server went away meanwhile: nothing was promised
    }
  }

  private async findOrCreateUser({ id, openid }: Person): Promise<void> {
    const [known] = await query(this.pool, 'SELECT id FROM users WHERE id = ?', [id]);
    if (known) return;
    try {
      await query(this.pool, 'INSERT INTO users (id, openid) VALUES (?, ?)', [id, openid]);
      this.recorder.wrote({ what: 'user_created', outTradeNo: null });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }
}

export function yuan(fen: number): string {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
}

function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && error.errno === DUPLICATE_ENTRY;
}

/** The column has no fraction, and rounding up would put a payment into the future. */
function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
