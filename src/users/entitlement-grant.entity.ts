import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A line of the append-only ledger: inserting the row is the right to raise (or lower) the user.
 * `out_trade_no` has the collation of `payment_orders.out_trade_no`, because the sweep joins the two.
 */
@Entity('entitlement_grants')
@Index('uq_entitlement_grants_order_entry', ['outTradeNo', 'entry'], { unique: true })
@Index('uq_entitlement_grants_transaction', ['transactionId'], { unique: true })
@Index('idx_entitlement_grants_user', ['userId'])
export class EntitlementGrant {
  @PrimaryGeneratedColumn({ name: 'id', type: 'bigint', unsigned: true })
  id!: string;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100 })
  outTradeNo!: string;

  @Column({ name: 'entry', type: 'enum', enum: ['grant', 'revocation'], default: 'grant' })
  entry!: 'grant' | 'revocation';

  @Column({ name: 'user_id', type: 'varchar', length: 36 })
  userId!: string;

  @Column({ name: 'package_type', type: 'enum', enum: ['free', 'basic', 'premium'] })
  packageType!: 'free' | 'basic' | 'premium';

  @Column({ name: 'regenerate_delta', type: 'int' })
  regenerateDelta!: number;

  @Column({ name: 'origin', type: 'enum', enum: ['payment', 'fulfilled_earlier', 'manual'] })
  origin!: 'payment' | 'fulfilled_earlier' | 'manual';

  @Column({ name: 'transaction_id', type: 'varchar', length: 100, nullable: true })
  transactionId!: string | null;

  @Column({ name: 'reason', type: 'varchar', length: 500, nullable: true })
  reason!: string | null;

  @Column({ name: 'granted_by', type: 'varchar', length: 100 })
  grantedBy!: string;

  @Column({ name: 'created_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  createdAt!: Date;
}
