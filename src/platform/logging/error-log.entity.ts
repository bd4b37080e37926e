import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of `error_logs`: an unexpected failure, scrubbed of openids and secrets before it is written. */
@Entity('error_logs', { comment: '错误日志表' })
@Index('idx_timestamp', ['timestamp'])
@Index('idx_error_code', ['errorCode'])
export class ErrorLog {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  @Column({ name: 'timestamp', type: 'timestamp', nullable: true, default: () => 'CURRENT_TIMESTAMP' })
  timestamp!: Date | null;

  @Column({ name: 'level', type: 'varchar', length: 20 })
  level!: string;

  @Column({ name: 'error_code', type: 'varchar', length: 100, nullable: true })
  errorCode!: string | null;

  @Column({ name: 'error_message', type: 'text', nullable: true })
  errorMessage!: string | null;

  @Column({ name: 'context', type: 'json', nullable: true })
  context!: unknown;

  @Column({ name: 'created_at', type: 'timestamp', nullable: true, default: () => 'CURRENT_TIMESTAMP' })
  createdAt!: Date | null;
}
