import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of `greeting_cards`: an electronic card made from a picture. */
@Entity('greeting_cards', { comment: '电子贺卡表' })
@Index('idx_user_id', ['userId'])
@Index('idx_greeting_cards_created_at', ['createdAt'])
export class GreetingCard {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  id!: string;

  @Column({ name: 'user_id', type: 'varchar', length: 36 })
  userId!: string;

  @Column({ name: 'image_url', type: 'text', nullable: true })
  imageUrl!: string | null;

  @Column({ name: 'greeting_text', type: 'text', nullable: true })
  greetingText!: string | null;

  @Column({ name: 'template_style', type: 'varchar', length: 50, nullable: true })
  templateStyle!: string | null;

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
