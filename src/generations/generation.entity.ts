import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of `generation_history`. The last three columns are this backend's: which paid order unlocked the pictures. */
@Entity('generation_history', { comment: '生成历史表' })
@Index('idx_user_id', ['userId'])
@Index('idx_generation_history_created_at', ['createdAt'])
export class Generation {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  @Column({ name: 'user_id', type: 'varchar', length: 36 })
  userId!: string;

  @Column({ name: 'task_ids', type: 'json', nullable: true })
  taskIds!: unknown;

  @Column({ name: 'original_image_urls', type: 'json', nullable: true })
  originalImageUrls!: unknown;

  @Column({ name: 'template_url', type: 'text', nullable: true })
  templateUrl!: string | null;

  @Column({ name: 'generated_image_urls', type: 'json', nullable: true })
  generatedImageUrls!: unknown;

  @Column({ name: 'selected_image_url', type: 'text', nullable: true })
  selectedImageUrl!: string | null;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'processing', 'completed', 'failed'],
    nullable: true,
    default: 'pending',
  })
  status!: 'pending' | 'processing' | 'completed' | 'failed' | null;

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

  @Column({ name: 'package_type', type: 'enum', enum: ['basic', 'premium'], nullable: true })
  packageType!: 'basic' | 'premium' | null;

  @Column({ name: 'unlocked_at', type: 'timestamp', nullable: true })
  unlockedAt!: Date | null;

  @Column({ name: 'unlocked_by_order_id', type: 'varchar', length: 36, nullable: true })
  unlockedByOrderId!: string | null;
}
