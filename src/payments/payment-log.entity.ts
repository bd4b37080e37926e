import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of the contract's `payment_logs`: what the cloud functions noted, often nothing; never evidence of a payment. */
@Entity('payment_logs', { comment: '支付日志表' })
@Index('idx_type', ['type'])
@Index('idx_out_trade_no', ['outTradeNo'])
@Index('idx_created_at', ['createdAt'])
export class PaymentLog {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36, comment: '日志ID (UUID)' })
  id!: string;

  @Column({ name: 'type', type: 'varchar', length: 50, comment: '日志类型' })
  type!: string;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100, nullable: true, comment: '商户订单号' })
  outTradeNo!: string | null;

  @Column({ name: 'out_refund_no', type: 'varchar', length: 100, nullable: true, comment: '商户退款单号' })
  outRefundNo!: string | null;

  @Column({ name: 'event_type', type: 'varchar', length: 50, nullable: true, comment: '事件类型' })
  eventType!: string | null;

  @Column({ name: 'amount_total', type: 'int', nullable: true, comment: '金额（分）' })
  amountTotalFen!: number | null;

  @Column({ name: 'request_data', type: 'json', nullable: true, comment: '请求数据' })
  requestData!: unknown;

  @Column({ name: 'response_data', type: 'json', nullable: true, comment: '响应数据' })
  responseData!: unknown;

  @Column({ name: 'created_at', type: 'timestamp', nullable: true, default: () => 'CURRENT_TIMESTAMP' })
  createdAt!: Date | null;
}
