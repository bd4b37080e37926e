import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A message that was accepted and answered; the unique key makes a repeated delivery the same row. */
@Entity('inbox_messages')
@Index('uq_inbox_messages_dedupe_key', ['dedupeKey'], { unique: true })
@Index('idx_inbox_messages_due', ['status', 'availableAt', 'id'])
@Index('idx_inbox_messages_out_trade_no', ['outTradeNo'])
export class InboxMessage {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'topic', type: 'varchar', length: 40 })
  topic!: string;

  @Column({ name: 'dedupe_key', type: 'char', length: 64 })
  dedupeKey!: string;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100 })
  outTradeNo!: string;

  @Column({ name: 'payload', type: 'json' })
  payload!: unknown;

  @Column({ name: 'status', type: 'enum', enum: ['pending', 'handled', 'quarantined'], default: 'pending' })
  status!: 'pending' | 'handled' | 'quarantined';

  @Column({ name: 'attempts', type: 'int', unsigned: true, default: 0 })
  attempts!: number;

  @Column({ name: 'available_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  availableAt!: Date;

  @Column({ name: 'received_at', type: 'datetime', precision: 3 })
  receivedAt!: Date;

  @Column({ name: 'handled_at', type: 'datetime', precision: 3, nullable: true })
  handledAt!: Date | null;

  @Column({ name: 'outcome', type: 'varchar', length: 60, nullable: true })
  outcome!: string | null;

  @Column({ name: 'last_error', type: 'varchar', length: 500, nullable: true })
  lastError!: string | null;
}
