import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of the contract's `users`. The cloud functions write it as well: change it by conditional UPDATE only. */
@Entity('users', { comment: '用户表' })
@Index('openid', ['openid'], { unique: true })
@Index('idx_openid', ['openid'])
@Index('idx_payment_status', ['paymentStatus'])
@Index('idx_users_phone', ['phone'])
export class User {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36, comment: '用户ID (UUID)' })
  id!: string;

  @Column({ name: 'openid', type: 'varchar', length: 100, nullable: true, comment: '微信OpenID' })
  openid!: string | null;

  @Column({ name: 'unionid', type: 'varchar', length: 100, nullable: true, comment: '微信UnionID' })
  unionid!: string | null;

  @Column({ name: 'nickname', type: 'varchar', length: 100, nullable: true, comment: '用户昵称' })
  nickname!: string | null;

  @Column({ name: 'avatar_url', type: 'text', nullable: true, comment: '头像URL' })
  avatarUrl!: string | null;

  @Column({ name: 'phone', type: 'varchar', length: 20, nullable: true, comment: '手机号' })
  phone!: string | null;

  @Column({
    name: 'payment_status',
    type: 'enum',
    enum: ['free', 'basic', 'premium'],
    nullable: true,
    default: 'free',
    comment: '付费状态',
  })
  paymentStatus!: 'free' | 'basic' | 'premium' | null;

  @Column({ name: 'regenerate_count', type: 'int', nullable: true, default: 3, comment: '重新生成次数' })
  regenerateCount!: number | null;

  @Column({ name: 'last_login_at', type: 'timestamp', nullable: true, comment: '最后登录时间' })
  lastLoginAt!: Date | null;

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
