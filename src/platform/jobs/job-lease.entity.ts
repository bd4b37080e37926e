import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who may run a job now. The fencing token rises with every change of owner, so that a late owner's write is refused. */
@Entity('job_leases')
export class JobLease {
  @PrimaryColumn({ name: 'name', type: 'varchar', length: 60 })
  name!: string;

  @Column({ name: 'owner', type: 'varchar', length: 80, nullable: true })
  owner!: string | null;

  @Column({ name: 'fencing_token', type: 'bigint', unsigned: true, default: 0 })
  fencingToken!: string;

  @Column({ name: 'expires_at', type: 'datetime', precision: 3 })
  expiresAt!: Date;

  @Column({ name: 'cursor_value', type: 'varchar', length: 200, nullable: true })
  cursorValue!: string | null;

  @Column({
    name: 'updated_at',
    type: 'datetime',
    precision: 3,
    default: () => 'CURRENT_TIMESTAMP(3)',
    onUpdate: 'CURRENT_TIMESTAMP(3)',
  })
  updatedAt!: Date;
}
