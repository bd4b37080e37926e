import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * Without a channel: a fact to be told, staged in the transaction of its cause. With one: the telling of a fact over that
 * channel, which has its own tries and its own end. The unique key lets each be there once.
 */
@Entity('outbox_messages')
@Index('uq_outbox_messages_message_key', ['messageKey'], { unique: true })
@Index('idx_outbox_messages_channel_due', ['status', 'channel', 'availableAt', 'id'])
export class OutboxMessage {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'topic', type: 'varchar', length: 40 })
  topic!: string;

  @Column({ name: 'channel', type: 'varchar', length: 20, default: '' })
  channel!: string;

  @Column({ name: 'message_key', type: 'varchar', length: 150 })
  messageKey!: string;

  @Column({ name: 'payload', type: 'json' })
  payload!: unknown;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'sent', 'failed', 'distributed', 'unwanted'],
    default: 'pending',
  })
  status!: 'pending' | 'sent' | 'failed' | 'distributed' | 'unwanted';

  /** Tries that failed since it is wanted. */
  @Column({ name: 'attempts', type: 'int', unsigned: true, default: 0 })
  attempts!: number;

  /** Rises with every claim and every resend: who settles must still hold the number. */
  @Column({ name: 'claims', type: 'int', unsigned: true, default: 0 })
  claims!: number;

  @Column({ name: 'available_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  availableAt!: Date;

  /** The time it may take counts from here. */
  @Column({ name: 'wanted_since', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  wantedSince!: Date;

  @Column({ name: 'sent_at', type: 'datetime', precision: 3, nullable: true })
  sentAt!: Date | null;

  @Column({ name: 'last_error', type: 'varchar', length: 500, nullable: true })
  lastError!: string | null;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;
}
