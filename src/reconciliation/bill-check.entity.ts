import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A day's bill of WeChat Pay that was read to the end. */
@Entity('bill_checks')
export class BillCheck {
  /** A Beijing day. */
  @PrimaryColumn({ name: 'bill_date', type: 'date' })
  billDate!: string;

  @PrimaryColumn({ name: 'bill_type', type: 'varchar', length: 20 })
  billType!: string;

  @Column({ name: 'row_count', type: 'int', unsigned: true })
  rowCount!: number;

  /** How many of them were not known here before. */
  @Column({ name: 'new_count', type: 'int', unsigned: true })
  newCount!: number;

  @Column({ name: 'checked_at', type: 'datetime', precision: 3, default: () => 'CURRENT_TIMESTAMP(3)' })
  checkedAt!: Date;
}
