import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Which product order went to the workshop in which batch. An order is in one batch at most. */
@Entity('product_order_batch_items')
@Index('idx_product_order_batch_items_batch', ['batchId'])
export class ProductOrderBatchItem {
  @PrimaryColumn({ name: 'product_order_id', type: 'varchar', length: 36 })
  productOrderId!: string;

  @Column({ name: 'batch_id', type: 'varchar', length: 36 })
  batchId!: string;

  @Column({ name: 'exported_by', type: 'varchar', length: 100 })
  exportedBy!: string;

  @Column({ name: 'exported_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  exportedAt!: Date;
}
