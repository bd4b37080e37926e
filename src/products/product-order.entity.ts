import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of `product_orders`: a printed product and where it is sent. */
@Entity('product_orders', { comment: '实体产品订单表' })
@Index('idx_user_id', ['userId'])
@Index('idx_status', ['status'])
@Index('idx_product_orders_created_at', ['createdAt'])
export class ProductOrder {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  @Column({ name: 'user_id', type: 'varchar', length: 36 })
  userId!: string;

  @Column({ name: 'generation_id', type: 'varchar', length: 36, nullable: true })
  generationId!: string | null;

  @Column({ name: 'product_type', type: 'enum', enum: ['crystal', 'scroll'] })
  productType!: 'crystal' | 'scroll';

  /** Yuan with two decimals, as the table has it: turn it into Money before any arithmetic. */
  @Column({ name: 'product_price', type: 'decimal', precision: 10, scale: 2 })
  productPrice!: string;

  @Column({ name: 'shipping_name', type: 'varchar', length: 100, nullable: true })
  shippingName!: string | null;

  @Column({ name: 'shipping_phone', type: 'varchar', length: 20, nullable: true })
  shippingPhone!: string | null;

  @Column({ name: 'shipping_address', type: 'text', nullable: true })
  shippingAddress!: string | null;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'paid', 'exported', 'shipped', 'delivered', 'cancelled'],
    nullable: true,
    default: 'pending',
  })
  status!: 'pending' | 'paid' | 'exported' | 'shipped' | 'delivered' | 'cancelled' | null;

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
