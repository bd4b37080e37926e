import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A notice staged in the transaction of its cause; the unique key lets each cause stage it once. */
@Entity('outbox_messages')
@Index('uq_outbox_messages_message_key', ['messageKey'], { unique: true })
@Index('idx_outbox_messages_due', ['status', 'availableAt', 'id'])
export class OutboxMessage {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'topic', type: 'varchar', length: 40 })
  topic!: string;

  @Column({ name: 'message_key', type: 'varchar', length: 150 })
  messageKey!: string;

  @Column({ name: 'payload', type: 'json' })
  payload!: unknown;

  @Column({ name: 'status', type: 'enum', enum: ['pending', 'sent', 'failed'], default: 'pending' })
  status!: 'pending' | 'sent' | 'failed';

  @Column({ name: 'attempts', type: 'int', unsigned: true, default: 0 })
  attempts!: number;

  @Column({ name: 'available_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  availableAt!: Date;

  @Column({ name: 'sent_at', type: 'datetime', precision: 3, nullable: true })
  sentAt!: Date | null;

  @Column({ name: 'last_error', type: 'varchar', length: 500, nullable: true })
  lastError!: string | null;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;
}
