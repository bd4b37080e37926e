import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of the contract's `refunds`. Rows written by the cloud function may carry fen in the yuan columns. */
@Entity('refunds', { comment: '退款记录表' })
@Index('out_refund_no', ['outRefundNo'], { unique: true })
@Index('idx_out_refund_no', ['outRefundNo'])
@Index('idx_out_trade_no', ['outTradeNo'])
@Index('idx_status', ['status'])
@Index('idx_refunds_updated_at', ['updatedAt'])
@Index('idx_refunds_created_at', ['createdAt', 'id'])
@Index('idx_refunds_refunded_at', ['refundedAt'])
export class Refund {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36, comment: '退款ID (UUID)' })
  id!: string;

  @Column({ name: 'out_refund_no', type: 'varchar', length: 100, comment: '商户退款单号' })
  outRefundNo!: string;

  @Column({ name: 'refund_id', type: 'varchar', length: 100, nullable: true, comment: '微信退款单号' })
  refundId!: string | null;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100, comment: '原订单号' })
  outTradeNo!: string;

  @Column({ name: 'transaction_id', type: 'varchar', length: 100, nullable: true, comment: '微信交易号' })
  transactionId!: string | null;

  /** Yuan with two decimals, as the table has it: turn it into Money before any arithmetic. */
  @Column({ name: 'refund_amount', type: 'decimal', precision: 10, scale: 2, comment: '退款金额（元）' })
  refundAmount!: string;

  /** Yuan with two decimals, as the table has it: turn it into Money before any arithmetic. */
  @Column({ name: 'total_amount', type: 'decimal', precision: 10, scale: 2, comment: '订单总金额（元）' })
  totalAmount!: string;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'success', 'closed', 'abnormal'],
    nullable: true,
    default: 'pending',
    comment: '退款状态',
  })
  status!: 'pending' | 'success' | 'closed' | 'abnormal' | null;

  @Column({ name: 'reason', type: 'text', nullable: true, comment: '退款原因' })
  reason!: string | null;

  @Column({ name: 'refunded_at', type: 'timestamp', nullable: true, comment: '退款完成时间' })
  refundedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamp', nullable: true, default: () => 'CURRENT_TIMESTAMP' })
  createdAt!: Date | null;

  @Column({
    name: 'updated_at',
    type: 'timestamp',
    nullable: true,
    default: () => 'CURRENT_TIMESTAMP',
    onUpdate: 'CURRENT_TIMESTAMP',
  })
  updatedAt!: Date | null;
}
