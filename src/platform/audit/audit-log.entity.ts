import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What an operator changed, with the state before and after; written in the transaction of the change. */
@Entity('audit_logs')
@Index('idx_audit_logs_target', ['targetType', 'targetId'])
@Index('idx_audit_logs_actor', ['actor'])
@Index('idx_audit_logs_occurred_at', ['occurredAt'])
export class AuditLog {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'occurred_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  occurredAt!: Date;

  @Column({ name: 'actor', type: 'varchar', length: 100 })
  actor!: string;

  @Column({ name: 'action', type: 'varchar', length: 100 })
  action!: string;

  @Column({ name: 'target_type', type: 'varchar', length: 50 })
  targetType!: string;

  @Column({ name: 'target_id', type: 'varchar', length: 100 })
  targetId!: string;

  @Column({ name: 'before_data', type: 'json', nullable: true })
  beforeData!: unknown;

  @Column({ name: 'after_data', type: 'json', nullable: true })
  afterData!: unknown;

  @Column({ name: 'reason', type: 'varchar', length: 500, nullable: true })
  reason!: string | null;

  @Column({ name: 'request_id', type: 'varchar', length: 64, nullable: true })
  requestId!: string | null;

  @Column({ name: 'source_ip', type: 'varchar', length: 45, nullable: true })
  sourceIp!: string | null;
}
