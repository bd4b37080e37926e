import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A held or quarantined item that waits for an operator, with the reason in words.
 * `subject` is mostly an order number and has the collation of `payment_orders.out_trade_no`, so that the two can be joined.
 */
@Entity('exceptions')
@Index('uq_exceptions_kind_subject', ['kind', 'subject'], { unique: true })
@Index('idx_exceptions_status', ['status', 'openedAt'])
@Index('idx_exceptions_subject', ['subject'])
@Index('idx_exceptions_kind_status', ['kind', 'status', 'openedAt'])
export class ExceptionItem {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'kind', type: 'varchar', length: 60 })
  kind!: string;

  @Column({ name: 'subject', type: 'varchar', length: 100 })
  subject!: string;

  @Column({ name: 'reason', type: 'varchar', length: 500 })
  reason!: string;

  @Column({ name: 'detail', type: 'json', nullable: true })
  detail!: unknown;

  @Column({ name: 'status', type: 'enum', enum: ['open', 'resolved', 'dismissed'], default: 'open' })
  status!: 'open' | 'resolved' | 'dismissed';

  @Column({ name: 'opened_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  openedAt!: Date;

  @Column({ name: 'resolved_at', type: 'datetime', precision: 3, nullable: true })
  resolvedAt!: Date | null;

  @Column({ name: 'resolved_by', type: 'varchar', length: 100, nullable: true })
  resolvedBy!: string | null;

  @Column({ name: 'resolution', type: 'varchar', length: 500, nullable: true })
  resolution!: string | null;
}
