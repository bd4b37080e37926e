import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A price and the instant it comes into force. Rows are never rewritten; one not yet in force may be cancelled. */
@Entity('price_configs')
@Index('idx_price_configs_package_effective', ['packageType', 'effectiveAt'])
@Index('uq_price_configs_package_scheduled', ['packageType', 'scheduledFor'], { unique: true })
export class PriceConfig {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'package_type', type: 'enum', enum: ['basic', 'premium'] })
  packageType!: 'basic' | 'premium';

  @Column({ name: 'amount_fen', type: 'int', unsigned: true })
  amountFen!: number;

  @Column({ name: 'effective_at', type: 'datetime', precision: 3 })
  effectiveAt!: Date;

  /** The beginning again, null once it is cancelled: of these, one per package and instant. */
  @Column({ name: 'scheduled_for', type: 'datetime', precision: 3, nullable: true })
  scheduledFor!: Date | null;

  @Column({ name: 'author', type: 'varchar', length: 100 })
  author!: string;

  @Column({ name: 'note', type: 'varchar', length: 500, nullable: true })
  note!: string | null;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;

  @Column({ name: 'cancelled_at', type: 'datetime', precision: 3, nullable: true })
  cancelledAt!: Date | null;

  @Column({ name: 'cancelled_by', type: 'varchar', length: 100, nullable: true })
  cancelledBy!: string | null;
}
