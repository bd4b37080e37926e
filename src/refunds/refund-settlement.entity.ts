import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * What is known for certain of one refund, and what is to be done about it next. `refunds` shows the same to the callers,
 * who also write there; this row decides. For a refund of ours it keeps what was sent, to the letter, for every repetition.
 */
@Entity('refund_settlements')
@Index('uq_refund_settlements_idempotency_key', ['idempotencyKey'], { unique: true })
@Index('idx_refund_settlements_due', ['dueAt'])
@Index('idx_refund_settlements_order', ['outTradeNo'])
export class RefundSettlement {
  @PrimaryColumn({ name: 'out_refund_no', type: 'varchar', length: 100 })
  outRefundNo!: string;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100 })
  outTradeNo!: string;

  /** `foreign`: made elsewhere, by a cloud function or on the merchant platform; never sent from here. */
  @Column({ name: 'origin', type: 'enum', enum: ['operator', 'foreign'] })
  origin!: 'operator' | 'foreign';

  @Column({ name: 'channel', type: 'enum', enum: ['wechatpay', 'cloud-function'], nullable: true })
  channel!: 'wechatpay' | 'cloud-function' | null;

  /** Names the order towards WeChat Pay; null where the merchant number does. */
  @Column({ name: 'transaction_id', type: 'varchar', length: 100, nullable: true })
  transactionId!: string | null;

  /** Null as long as nobody trustworthy said how much. */
  @Column({ name: 'refund_fen', type: 'bigint', unsigned: true, nullable: true })
  refundFen!: string | null;

  @Column({ name: 'order_fen', type: 'bigint', unsigned: true, nullable: true })
  orderFen!: string | null;

  @Column({ name: 'reason', type: 'varchar', length: 200, nullable: true })
  reason!: string | null;

  @Column({ name: 'idempotency_key', type: 'varchar', length: 64, nullable: true })
  idempotencyKey!: string | null;

  @Column({ name: 'requested_by', type: 'varchar', length: 100, nullable: true })
  requestedBy!: string | null;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'success', 'closed', 'abnormal'],
    default: 'pending',
  })
  status!: 'pending' | 'success' | 'closed' | 'abnormal';

  /**
   * `requested`: never sent. `sent`: whether it arrived is not known. `accepted`: WeChat Pay has it. `disproven`: others claim
   * it and WeChat Pay does not know it.
   */
  @Column({ name: 'stage', type: 'enum', enum: ['requested', 'sent', 'accepted', 'disproven'] })
  stage!: 'requested' | 'sent' | 'accepted' | 'disproven';

  @Column({ name: 'sends', type: 'int', unsigned: true, default: 0 })
  sends!: number;

  @Column({ name: 'sent_at', type: 'datetime', precision: 3, nullable: true })
  sentAt!: Date | null;

  @Column({ name: 'asks', type: 'int', unsigned: true, default: 0 })
  asks!: number;

  /** Attempts in a row that got no usable answer. */
  @Column({ name: 'unanswered', type: 'int', unsigned: true, default: 0 })
  unanswered!: number;

  @Column({ name: 'asked_at', type: 'datetime', precision: 3, nullable: true })
  askedAt!: Date | null;

  /** Null when nothing is to be done any more. */
  @Column({ name: 'due_at', type: 'datetime', precision: 3, nullable: true })
  dueAt!: Date | null;

  @Column({ name: 'last_answer', type: 'varchar', length: 200, nullable: true })
  lastAnswer!: string | null;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;
}
