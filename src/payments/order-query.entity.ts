import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An order WeChat Pay is to be asked about. The row goes when the answer is final. */
@Entity('order_queries')
@Index('idx_order_queries_due', ['dueAt'])
export class OrderQuery {
  @PrimaryColumn({ name: 'out_trade_no', type: 'varchar', length: 100 })
  outTradeNo!: string;

  @Column({ name: 'asks', type: 'int', unsigned: true, default: 0 })
  asks!: number;

  /** Questions in a row that got no answer. */
  @Column({ name: 'unanswered', type: 'int', unsigned: true, default: 0 })
  unanswered!: number;

  @Column({ name: 'asked_at', type: 'datetime', precision: 3, nullable: true })
  askedAt!: Date | null;

  @Column({ name: 'due_at', type: 'datetime', precision: 3 })
  dueAt!: Date;

  @Column({ name: 'last_answer', type: 'varchar', length: 40, nullable: true })
  lastAnswer!: string | null;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;
}
