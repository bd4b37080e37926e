import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/**
 * The contract's foreign key says nothing about updates, which MariaDB reports as RESTRICT and MySQL as NO ACTION. The
 * empty rule keeps the comparison of entities and tables from seeing drift on one of them.
 */
const UPDATE_RULE_UNSAID = '' as string as 'NO ACTION';

/**
 * A row of the contract's `payment_orders`. The cloud functions write it as well: change it by conditional UPDATE only.
 * The foreign key names its target by string, so that no import crosses into the users feature.
 */
@Entity('payment_orders', { comment: '支付订单表' })
@Index('out_trade_no', ['outTradeNo'], { unique: true })
@Index('idx_user_id', ['userId'])
@Index('idx_out_trade_no', ['outTradeNo'])
@Index('idx_transaction_id', ['transactionId'])
@Index('idx_status', ['status'])
@Index('idx_trade_type', ['tradeType'])
@Index('idx_payment_orders_status_updated', ['status', 'updatedAt'])
@Index('idx_payment_orders_created', ['createdAt'])
@Index('idx_payment_orders_status_created', ['status', 'createdAt'])
@Index('idx_payment_orders_user_created', ['userId', 'createdAt'])
@Index('idx_payment_orders_paid', ['paidAt'])
export class PaymentOrder {
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36, comment: '订单ID (UUID)' })
  id!: string;

  @ForeignKey('User', 'id', {
    name: 'payment_orders_ibfk_1',
    onDelete: 'CASCADE',
    onUpdate: UPDATE_RULE_UNSAID,
  })
  @Column({ name: 'user_id', type: 'varchar', length: 36, comment: '用户ID' })
  userId!: string;

  @Column({ name: 'generation_id', type: 'varchar', length: 36, comment: '关联的生成记录ID' })
  generationId!: string;

  @Column({ name: 'out_trade_no', type: 'varchar', length: 100, comment: '商户订单号' })
  outTradeNo!: string;

  @Column({ name: 'transaction_id', type: 'varchar', length: 100, nullable: true, comment: '微信交易号' })
  transactionId!: string | null;

  /** Yuan with two decimals, as the table has it: turn it into Money before any arithmetic. */
  @Column({ name: 'amount', type: 'decimal', precision: 10, scale: 2, comment: '订单金额（元）' })
  amount!: string;

  @Column({ name: 'package_type', type: 'enum', enum: ['free', 'basic', 'premium'], comment: '套餐类型' })
  packageType!: 'free' | 'basic' | 'premium';

  @Column({
    name: 'payment_method',
    type: 'varchar',
    length: 50,
    nullable: true,
    default: 'wechat',
    comment: '支付方式',
  })
  paymentMethod!: string | null;

  @Column({
    name: 'trade_type',
    type: 'varchar',
    length: 20,
    nullable: true,
    default: 'JSAPI',
    comment: '支付类型',
  })
  tradeType!: string | null;

  @Column({
    name: 'status',
    type: 'enum',
    enum: ['pending', 'paid', 'failed', 'refunded'],
    nullable: true,
    default: 'pending',
    comment: '订单状态',
  })
  status!: 'pending' | 'paid' | 'failed' | 'refunded' | null;

  @Column({ name: 'paid_at', type: 'timestamp', nullable: true, comment: '支付完成时间' })
  paidAt!: Date | null;

  @Column({ name: 'refund_reason', type: 'text', nullable: true, comment: '退款原因' })
  refundReason!: string | null;

  @Column({ name: 'remark', type: 'text', nullable: true, comment: '备注' })
  remark!: string | null;

  @Column({
    name: '_openid',
    type: 'varchar',
    length: 100,
    nullable: true,
    comment: '支付用户OpenID（冗余字段）',
  })
  payerOpenid!: string | null;

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
