import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Money } from '../shared/money.js';
import type { RefundState } from './refund.state.js';
import type { RefundChannelName } from './refunds.types.js';

/** What is known for certain of one refund. */
export type SettlementRecord = {
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly origin: 'operator' | 'foreign';
  readonly channel: RefundChannelName | null;
  readonly transactionId: string | null;
  readonly refundAmount: Money | null;
  readonly orderAmount: Money | null;
  readonly reason: string | null;
  readonly idempotencyKey: string | null;
  readonly requestedBy: string | null;
  readonly status: RefundState;
  readonly stage: 'requested' | 'sent' | 'accepted' | 'disproven';
  readonly sends: number;
  readonly asks: number;
  readonly unanswered: number;
};

export type NewSettlement = Pick<SettlementRecord, 'outRefundNo' | 'outTradeNo' | 'origin' | 'stage'> &
  Partial<SettlementRecord> & {
    /** From now; null: nothing is to be done by itself. */
    readonly dueInMs: number | null;
  };

type SettlementRow = {
  out_refund_no: string;
  out_trade_no: string;
  origin: SettlementRecord['origin'];
  channel: RefundChannelName | null;
  transaction_id: string | null;
  refund_fen: string | null;
  order_fen: string | null;
  reason: string | null;
  idempotency_key: string | null;
  requested_by: string | null;
  status: RefundState;
  stage: SettlementRecord['stage'];
  sends: number;
  asks: number;
  unanswered: number;
};

const COLUMNS = `out_refund_no, out_trade_no, origin, channel, transaction_id, refund_fen, order_fen, reason,
  idempotency_key, requested_by, status, stage, sends, asks, unanswered`;
const ANSWER_LENGTH_MAX = 200;
/** A row that others keep touching has the same refund asked about at most this often. */
const HURRY_GAP_SECONDS = 20;

@Injectable()
export class RefundSettlementsRepository {
  /** @throws a duplicate-entry error when the number or the idempotency key is taken */
  async insert(tx: Tx, settlement: NewSettlement): Promise<void> {
    await tx.query(
      `INSERT INTO refund_settlements
         (out_refund_no, out_trade_no, origin, channel, transaction_id, refund_fen, order_fen, reason,
          idempotency_key, requested_by, stage, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND)`,
      [
        settlement.outRefundNo,
        settlement.outTradeNo,
        settlement.origin,
        settlement.channel ?? null,
        settlement.transactionId ?? null,
        settlement.refundAmount?.fen ?? null,
        settlement.orderAmount?.fen ?? null,
        settlement.reason ?? null,
        settlement.idempotencyKey ?? null,
        settlement.requestedBy ?? null,
        settlement.stage,
        settlement.dueInMs === null ? null : Math.round(settlement.dueInMs) * 1000,
      ],
    );
  }

  /** Knows the refund from now on; true when it did not before. */
  async insertForeign(
    tx: Tx,
    refund: { outRefundNo: string; outTradeNo: string; dueInMs: number | null },
  ): Promise<boolean> {
    try {
      await this.insert(tx, { ...refund, origin: 'foreign', stage: 'sent' });
      return true;
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return false;
    }
  }

  async lock(tx: Tx, outRefundNo: string): Promise<SettlementRecord | null> {
    return this.findOne(tx, 'out_refund_no = ? FOR UPDATE', outRefundNo);
  }

  async findByIdempotencyKey(tx: Tx, key: string): Promise<SettlementRecord | null> {
    return this.findOne(tx, 'idempotency_key = ?', key);
  }

  /** Whether any refund is due, also one that somebody else is claiming at this moment. */
  async hasDue(tx: Tx): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'SELECT out_refund_no FROM refund_settlements WHERE due_at <= NOW(3) LIMIT 1',
    );
    return rows.length > 0;
  }

  /** The longest-due refund nobody else is at. It is hidden for `leaseMs`, so a crash gives it back by itself. */
  async claimNext(tx: Tx, leaseMs: number): Promise<SettlementRecord | null> {
    const [row] = await tx.query<SettlementRow[]>(
      `SELECT ${COLUMNS} FROM refund_settlements WHERE due_at <= NOW(3) ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    if (!row) return null;
    await tx.query(
      'UPDATE refund_settlements SET due_at = NOW(3) + INTERVAL ? MICROSECOND WHERE out_refund_no = ?',
      [leaseMs * 1000, row.out_refund_no],
    );
    return toRecord(row);
  }

  /** Before the call: whoever comes after a crash knows that it may have gone out. */
  async markSent(tx: Tx, outRefundNo: string): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements SET stage = IF(stage = 'requested', 'sent', stage), sends = sends + 1, sent_at = COALESCE(sent_at, NOW(3))
        WHERE out_refund_no = ?`,
      [outRefundNo],
    );
  }

  /** How long until another refund of the order may be sent; 0 when now. */
  async waitForGapMs(tx: Tx, outTradeNo: string, gap: { than: string; seconds: number }): Promise<number> {
    const [row] = await tx.query<{ wait_us: string | number | null }[]>(
      `SELECT MAX(TIMESTAMPDIFF(MICROSECOND, NOW(3), sent_at + INTERVAL ? SECOND)) AS wait_us
         FROM refund_settlements WHERE out_trade_no = ? AND out_refund_no <> ? AND sent_at IS NOT NULL`,
      [gap.seconds, outTradeNo, gap.than],
    );
    return Math.max(0, Math.ceil(Number(row?.wait_us ?? 0) / 1000));
  }

  async postpone(
    tx: Tx,
    outRefundNo: string,
    by: { delayMs: number | null; answer: string; isAnswered: boolean },
  ): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements
          SET due_at = NOW(3) + INTERVAL ? MICROSECOND, last_answer = ?, asks = asks + ?, asked_at = NOW(3),
              unanswered = IF(?, 0, unanswered + 1)
        WHERE out_refund_no = ?`,
      [
        by.delayMs === null ? null : Math.round(by.delayMs) * 1000,
        by.answer.slice(0, ANSWER_LENGTH_MAX),
        by.isAnswered ? 1 : 0,
        by.isAnswered ? 1 : 0,
        outRefundNo,
      ],
    );
  }

  /** Waits for its turn: nothing was sent and nothing was asked. */
  async deferSending(tx: Tx, outRefundNo: string, delayMs: number): Promise<void> {
    await tx.query(
      "UPDATE refund_settlements SET due_at = NOW(3) + INTERVAL ? MICROSECOND, last_answer = 'waits_for_its_turn' WHERE out_refund_no = ?",
      [Math.round(delayMs) * 1000, outRefundNo],
    );
  }

  /** What somebody trustworthy said, and when it is asked about again. */
  async record(
    tx: Tx,
    outRefundNo: string,
    known: {
      status: RefundState;
      outTradeNo: string;
      refundAmount: Money;
      orderAmount: Money;
      answer: string;
      dueInMs: number | null;
    },
  ): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements
          SET status = ?, stage = 'accepted', out_trade_no = ?, refund_fen = ?, order_fen = ?, last_answer = ?,
              asks = asks + 1, asked_at = NOW(3), unanswered = 0, due_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE out_refund_no = ?`,
      [
        known.status,
        known.outTradeNo,
        known.refundAmount.fen,
        known.orderAmount.fen,
        known.answer.slice(0, ANSWER_LENGTH_MAX),
        known.dueInMs === null ? null : known.dueInMs * 1000,
        outRefundNo,
      ],
    );
  }

  /** Given up: WeChat Pay refused it and has no such refund. It is asked about again, because neither answer was signed. */
  async recordRefused(
    tx: Tx,
    outRefundNo: string,
    by: { answer: string; dueInMs: number | null },
  ): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements
          SET status = 'closed', last_answer = ?, asks = 0, due_at = NOW(3) + INTERVAL ? MICROSECOND WHERE out_refund_no = ?`,
      [by.answer.slice(0, ANSWER_LENGTH_MAX), by.dueInMs === null ? null : by.dueInMs * 1000, outRefundNo],
    );
  }

  /** Others claim it, and WeChat Pay does not know it: it counts for nothing, until somebody proves it. */
  async disprove(tx: Tx, outRefundNo: string): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements SET stage = 'disproven', last_answer = 'not_found', asks = asks + 1, asked_at = NOW(3), due_at = NULL
        WHERE out_refund_no = ? AND origin = 'foreign' AND status = 'pending'`,
      [outRefundNo],
    );
  }

  /** Has a refund that was given up asked about once more: WeChat Pay's bill names it. */
  async reopen(tx: Tx, outRefundNo: string): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements SET due_at = NOW(3)
        WHERE out_refund_no = ? AND due_at IS NULL AND status IN ('pending', 'closed')`,
      [outRefundNo],
    );
  }

  /** Has an open refund looked at now; not again and again because others keep writing its row. */
  async hurry(tx: Tx, outRefundNo: string): Promise<void> {
    await tx.query(
      `UPDATE refund_settlements
          SET due_at = LEAST(COALESCE(due_at, '9999-12-31'), GREATEST(NOW(3), COALESCE(asked_at + INTERVAL ? SECOND, NOW(3))))
        WHERE out_refund_no = ?`,
      [HURRY_GAP_SECONDS, outRefundNo],
    );
  }

  /** What went back for certain, in fen, of what the order cost at WeChat Pay; and the reason of the last one that has any. */
  async sumSuccess(
    tx: Tx,
    outTradeNo: string,
  ): Promise<{ refundedFen: number; orderFen: number | null; reason: string | null }> {
    const rows = await tx.query<Pick<SettlementRow, 'refund_fen' | 'order_fen' | 'reason'>[]>(
      `SELECT refund_fen, order_fen, reason FROM refund_settlements
        WHERE out_trade_no = ? AND status = 'success' ORDER BY created_at DESC`,
      [outTradeNo],
    );
    const orderFens = rows.flatMap(({ order_fen }) => (order_fen === null ? [] : [Number(order_fen)]));
    return {
      refundedFen: rows.reduce((sum, row) => sum + Number(row.refund_fen ?? 0), 0),
      orderFen: orderFens.length === 0 ? null : Math.max(...orderFens),
      reason: rows.find(({ reason }) => reason)?.reason ?? null,
    };
  }

  private async findOne(tx: Tx, where: string, value: string): Promise<SettlementRecord | null> {
    const [row] = await tx.query<SettlementRow[]>(
      `SELECT ${COLUMNS} FROM refund_settlements WHERE ${where}`,
      [value],
    );
    return row ? toRecord(row) : null;
  }
}

function toRecord(row: SettlementRow): SettlementRecord {
  return {
    outRefundNo: row.out_refund_no,
    outTradeNo: row.out_trade_no,
    origin: row.origin,
    channel: row.channel,
    transactionId: row.transaction_id,
    refundAmount: row.refund_fen === null ? null : Money.ofFen(Number(row.refund_fen)),
    orderAmount: row.order_fen === null ? null : Money.ofFen(Number(row.order_fen)),
    reason: row.reason,
    idempotencyKey: row.idempotency_key,
    requestedBy: row.requested_by,
    status: row.status,
    stage: row.stage,
    sends: row.sends,
    asks: row.asks,
    unanswered: row.unanswered,
  };
}
