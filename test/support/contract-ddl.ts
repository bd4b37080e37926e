/**
 * The tables as the contract's own DDL makes them, character for character: what an existing shop's database has.
 * The contract orders them so that a referenced table comes first.
 */
export const CONTRACT_DDL = {
  users: `
CREATE TABLE users (
  id VARCHAR(36) PRIMARY KEY COMMENT '用户ID (UUID)',
  openid VARCHAR(100) UNIQUE COMMENT '微信OpenID',
  unionid VARCHAR(100) COMMENT '微信UnionID',
  nickname VARCHAR(100) COMMENT '用户昵称',
  avatar_url TEXT COMMENT '头像URL',
  phone VARCHAR(20) COMMENT '手机号',
  payment_status ENUM('free', 'basic', 'premium') DEFAULT 'free' COMMENT '付费状态',
  regenerate_count INT DEFAULT 3 COMMENT '重新生成次数',
  last_login_at TIMESTAMP COMMENT '最后登录时间',
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  INDEX idx_openid (openid),
  INDEX idx_payment_status (payment_status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='用户表'`,
  payment_orders: `
CREATE TABLE payment_orders (
  id VARCHAR(36) PRIMARY KEY COMMENT '订单ID (UUID)',
  user_id VARCHAR(36) NOT NULL COMMENT '用户ID',
  generation_id VARCHAR(36) NOT NULL COMMENT '关联的生成记录ID',
  out_trade_no VARCHAR(100) UNIQUE NOT NULL COMMENT '商户订单号',
  transaction_id VARCHAR(100) COMMENT '微信交易号',
  amount DECIMAL(10, 2) NOT NULL COMMENT '订单金额（元）',
  package_type ENUM('free', 'basic', 'premium') NOT NULL COMMENT '套餐类型',
  payment_method VARCHAR(50) DEFAULT 'wechat' COMMENT '支付方式',
  trade_type VARCHAR(20) DEFAULT 'JSAPI' COMMENT '支付类型',
  status ENUM('pending', 'paid', 'failed', 'refunded') DEFAULT 'pending' COMMENT '订单状态',
  paid_at TIMESTAMP NULL COMMENT '支付完成时间',
  refund_reason TEXT COMMENT '退款原因',
  remark TEXT COMMENT '备注',
  _openid VARCHAR(100) COMMENT '支付用户OpenID（冗余字段）',
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  INDEX idx_user_id (user_id),
  INDEX idx_out_trade_no (out_trade_no),
  INDEX idx_transaction_id (transaction_id),
  INDEX idx_status (status),
  INDEX idx_trade_type (trade_type),
  FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='支付订单表'`,
  refunds: `
CREATE TABLE refunds (
  id VARCHAR(36) PRIMARY KEY COMMENT '退款ID (UUID)',
  out_refund_no VARCHAR(100) UNIQUE NOT NULL COMMENT '商户退款单号',
  refund_id VARCHAR(100) COMMENT '微信退款单号',
  out_trade_no VARCHAR(100) NOT NULL COMMENT '原订单号',
  transaction_id VARCHAR(100) COMMENT '微信交易号',
  refund_amount DECIMAL(10, 2) NOT NULL COMMENT '退款金额（元）',
  total_amount DECIMAL(10, 2) NOT NULL COMMENT '订单总金额（元）',
  status ENUM('pending', 'success', 'closed', 'abnormal') DEFAULT 'pending' COMMENT '退款状态',
  reason TEXT COMMENT '退款原因',
  refunded_at TIMESTAMP NULL COMMENT '退款完成时间',
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  INDEX idx_out_refund_no (out_refund_no),
  INDEX idx_out_trade_no (out_trade_no),
  INDEX idx_status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='退款记录表'`,
  payment_logs: `
CREATE TABLE payment_logs (
  id VARCHAR(36) PRIMARY KEY COMMENT '日志ID (UUID)',
  type VARCHAR(50) NOT NULL COMMENT '日志类型',
  out_trade_no VARCHAR(100) COMMENT '商户订单号',
  out_refund_no VARCHAR(100) COMMENT '商户退款单号',
  event_type VARCHAR(50) COMMENT '事件类型',
  amount_total INT COMMENT '金额（分）',
  request_data JSON COMMENT '请求数据',
  response_data JSON COMMENT '响应数据',
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  INDEX idx_type (type),
  INDEX idx_out_trade_no (out_trade_no),
  INDEX idx_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='支付日志表'`,
} as const;

/** A table of the contract with another collation than the server's default for utf8mb4. */
export function contractDdl(table: keyof typeof CONTRACT_DDL, collation?: string): string {
  return collation
    ? CONTRACT_DDL[table].replace('CHARSET=utf8mb4', `CHARSET=utf8mb4 COLLATE=${collation}`)
    : CONTRACT_DDL[table];
}
