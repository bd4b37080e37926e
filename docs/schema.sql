-- The schema after all migrations on an empty MariaDB 10.11. Generated: do not edit.
-- Renew it with UPDATE_SCHEMA_DUMP=1 npm test -- test/migrations/schema-dump.test.ts

CREATE TABLE `admin_tokens` (
  `id` varchar(36) NOT NULL,
  `name` varchar(100) NOT NULL,
  `token_hash` char(64) NOT NULL,
  `role` enum('viewer','operator','admin') NOT NULL,
  `created_by` varchar(100) NOT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `expires_at` datetime(3) NOT NULL,
  `last_used_at` datetime(3) DEFAULT NULL,
  `revoked_at` datetime(3) DEFAULT NULL,
  `revoked_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_admin_tokens_token_hash` (`token_hash`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `audit_logs` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `occurred_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `actor` varchar(100) NOT NULL,
  `action` varchar(100) NOT NULL,
  `target_type` varchar(50) NOT NULL,
  `target_id` varchar(100) NOT NULL,
  `before_data` longtext DEFAULT NULL CHECK (json_valid(`before_data`)),
  `after_data` longtext DEFAULT NULL CHECK (json_valid(`after_data`)),
  `reason` varchar(500) DEFAULT NULL,
  `request_id` varchar(64) DEFAULT NULL,
  `source_ip` varchar(45) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `idx_audit_logs_target` (`target_type`,`target_id`),
  KEY `idx_audit_logs_occurred_at` (`occurred_at`),
  KEY `idx_audit_logs_actor` (`actor`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `bill_checks` (
  `bill_date` date NOT NULL,
  `bill_type` varchar(20) NOT NULL,
  `row_count` int(10) unsigned NOT NULL,
  `new_count` int(10) unsigned NOT NULL,
  `checked_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`bill_date`,`bill_type`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `entitlement_grants` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `out_trade_no` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `entry` enum('grant','revocation') NOT NULL DEFAULT 'grant',
  `user_id` varchar(36) NOT NULL,
  `package_type` enum('free','basic','premium') NOT NULL,
  `regenerate_delta` int(11) NOT NULL,
  `origin` enum('payment','fulfilled_earlier','manual') NOT NULL,
  `transaction_id` varchar(100) DEFAULT NULL,
  `reason` varchar(500) DEFAULT NULL,
  `granted_by` varchar(100) NOT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_entitlement_grants_order_entry` (`out_trade_no`,`entry`),
  UNIQUE KEY `uq_entitlement_grants_transaction` (`transaction_id`),
  KEY `idx_entitlement_grants_user` (`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `error_logs` (
  `id` varchar(36) NOT NULL,
  `timestamp` timestamp NULL DEFAULT current_timestamp(),
  `level` varchar(20) NOT NULL,
  `error_code` varchar(100) DEFAULT NULL,
  `error_message` text DEFAULT NULL,
  `context` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`context`)),
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  KEY `idx_timestamp` (`timestamp`),
  KEY `idx_error_code` (`error_code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='错误日志表';

CREATE TABLE `exceptions` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `kind` varchar(60) NOT NULL,
  `subject` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `reason` varchar(500) NOT NULL,
  `detail` longtext DEFAULT NULL CHECK (json_valid(`detail`)),
  `status` enum('open','resolved','dismissed') NOT NULL DEFAULT 'open',
  `opened_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `resolved_at` datetime(3) DEFAULT NULL,
  `resolved_by` varchar(100) DEFAULT NULL,
  `resolution` varchar(500) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_exceptions_kind_subject` (`kind`,`subject`),
  KEY `idx_exceptions_status` (`status`,`opened_at`),
  KEY `idx_exceptions_subject` (`subject`),
  KEY `idx_exceptions_kind_status` (`kind`,`status`,`opened_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `generation_history` (
  `id` varchar(36) NOT NULL,
  `user_id` varchar(36) NOT NULL,
  `task_ids` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`task_ids`)),
  `original_image_urls` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`original_image_urls`)),
  `template_url` text DEFAULT NULL,
  `generated_image_urls` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`generated_image_urls`)),
  `selected_image_url` text DEFAULT NULL,
  `status` enum('pending','processing','completed','failed') DEFAULT 'pending',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `package_type` enum('basic','premium') DEFAULT NULL,
  `unlocked_at` timestamp NULL DEFAULT NULL,
  `unlocked_by_order_id` varchar(36) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `idx_user_id` (`user_id`),
  KEY `idx_generation_history_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='生成历史表';

CREATE TABLE `greeting_cards` (
  `id` varchar(36) NOT NULL,
  `user_id` varchar(36) NOT NULL,
  `image_url` text DEFAULT NULL,
  `greeting_text` text DEFAULT NULL,
  `template_style` varchar(50) DEFAULT NULL,
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  KEY `idx_user_id` (`user_id`),
  KEY `idx_greeting_cards_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='电子贺卡表';

CREATE TABLE `inbox_messages` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `topic` varchar(40) NOT NULL,
  `dedupe_key` char(64) NOT NULL,
  `out_trade_no` varchar(100) NOT NULL,
  `payload` longtext NOT NULL CHECK (json_valid(`payload`)),
  `status` enum('pending','handled','quarantined') NOT NULL DEFAULT 'pending',
  `attempts` int(10) unsigned NOT NULL DEFAULT 0,
  `available_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `received_at` datetime(3) NOT NULL,
  `handled_at` datetime(3) DEFAULT NULL,
  `outcome` varchar(60) DEFAULT NULL,
  `last_error` varchar(500) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_inbox_messages_dedupe_key` (`dedupe_key`),
  KEY `idx_inbox_messages_due` (`status`,`available_at`,`id`),
  KEY `idx_inbox_messages_out_trade_no` (`out_trade_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `job_leases` (
  `name` varchar(60) NOT NULL,
  `owner` varchar(80) DEFAULT NULL,
  `fencing_token` bigint(20) unsigned NOT NULL DEFAULT 0,
  `expires_at` datetime(3) NOT NULL,
  `cursor_value` varchar(200) DEFAULT NULL,
  `updated_at` datetime(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `order_queries` (
  `out_trade_no` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `asks` int(10) unsigned NOT NULL DEFAULT 0,
  `unanswered` int(10) unsigned NOT NULL DEFAULT 0,
  `asked_at` datetime(3) DEFAULT NULL,
  `due_at` datetime(3) NOT NULL,
  `last_answer` varchar(40) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`out_trade_no`),
  KEY `idx_order_queries_due` (`due_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `outbox_messages` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `topic` varchar(40) NOT NULL,
  `channel` varchar(20) NOT NULL DEFAULT '',
  `message_key` varchar(150) NOT NULL,
  `payload` longtext NOT NULL CHECK (json_valid(`payload`)),
  `status` enum('pending','sent','failed','distributed','unwanted') NOT NULL DEFAULT 'pending',
  `attempts` int(10) unsigned NOT NULL DEFAULT 0,
  `claims` int(10) unsigned NOT NULL DEFAULT 0,
  `available_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `wanted_since` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `sent_at` datetime(3) DEFAULT NULL,
  `last_error` varchar(500) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_outbox_messages_message_key` (`message_key`),
  KEY `idx_outbox_messages_channel_due` (`status`,`channel`,`available_at`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `payment_logs` (
  `id` varchar(36) NOT NULL COMMENT '日志ID (UUID)',
  `type` varchar(50) NOT NULL COMMENT '日志类型',
  `out_trade_no` varchar(100) DEFAULT NULL COMMENT '商户订单号',
  `out_refund_no` varchar(100) DEFAULT NULL COMMENT '商户退款单号',
  `event_type` varchar(50) DEFAULT NULL COMMENT '事件类型',
  `amount_total` int(11) DEFAULT NULL COMMENT '金额（分）',
  `request_data` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT '请求数据' CHECK (json_valid(`request_data`)),
  `response_data` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT '响应数据' CHECK (json_valid(`response_data`)),
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  KEY `idx_type` (`type`),
  KEY `idx_out_trade_no` (`out_trade_no`),
  KEY `idx_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='支付日志表';

CREATE TABLE `payment_orders` (
  `id` varchar(36) NOT NULL COMMENT '订单ID (UUID)',
  `user_id` varchar(36) NOT NULL COMMENT '用户ID',
  `generation_id` varchar(36) NOT NULL COMMENT '关联的生成记录ID',
  `out_trade_no` varchar(100) NOT NULL COMMENT '商户订单号',
  `transaction_id` varchar(100) DEFAULT NULL COMMENT '微信交易号',
  `amount` decimal(10,2) NOT NULL COMMENT '订单金额（元）',
  `package_type` enum('free','basic','premium') NOT NULL COMMENT '套餐类型',
  `payment_method` varchar(50) DEFAULT 'wechat' COMMENT '支付方式',
  `trade_type` varchar(20) DEFAULT 'JSAPI' COMMENT '支付类型',
  `status` enum('pending','paid','failed','refunded') DEFAULT 'pending' COMMENT '订单状态',
  `paid_at` timestamp NULL DEFAULT NULL COMMENT '支付完成时间',
  `refund_reason` text DEFAULT NULL COMMENT '退款原因',
  `remark` text DEFAULT NULL COMMENT '备注',
  `_openid` varchar(100) DEFAULT NULL COMMENT '支付用户OpenID（冗余字段）',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `out_trade_no` (`out_trade_no`),
  KEY `idx_user_id` (`user_id`),
  KEY `idx_out_trade_no` (`out_trade_no`),
  KEY `idx_transaction_id` (`transaction_id`),
  KEY `idx_status` (`status`),
  KEY `idx_trade_type` (`trade_type`),
  KEY `idx_payment_orders_status_updated` (`status`,`updated_at`),
  KEY `idx_payment_orders_created` (`created_at`),
  KEY `idx_payment_orders_status_created` (`status`,`created_at`),
  KEY `idx_payment_orders_user_created` (`user_id`,`created_at`),
  KEY `idx_payment_orders_paid` (`paid_at`),
  CONSTRAINT `payment_orders_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='支付订单表';

CREATE TABLE `price_configs` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `package_type` enum('basic','premium') NOT NULL,
  `amount_fen` int(10) unsigned NOT NULL,
  `effective_at` datetime(3) NOT NULL,
  `author` varchar(100) NOT NULL,
  `note` varchar(500) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  `cancelled_at` datetime(3) DEFAULT NULL,
  `cancelled_by` varchar(100) DEFAULT NULL,
  `scheduled_for` datetime(3) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_price_configs_package_scheduled` (`package_type`,`scheduled_for`),
  KEY `idx_price_configs_package_effective` (`package_type`,`effective_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `product_order_batch_items` (
  `product_order_id` varchar(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `batch_id` varchar(36) NOT NULL,
  `exported_by` varchar(100) NOT NULL,
  `exported_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`product_order_id`),
  KEY `idx_product_order_batch_items_batch` (`batch_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `product_orders` (
  `id` varchar(36) NOT NULL,
  `user_id` varchar(36) NOT NULL,
  `generation_id` varchar(36) DEFAULT NULL,
  `product_type` enum('crystal','scroll') NOT NULL,
  `product_price` decimal(10,2) NOT NULL,
  `shipping_name` varchar(100) DEFAULT NULL,
  `shipping_phone` varchar(20) DEFAULT NULL,
  `shipping_address` text DEFAULT NULL,
  `status` enum('pending','paid','exported','shipped','delivered','cancelled') DEFAULT 'pending',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  KEY `idx_user_id` (`user_id`),
  KEY `idx_status` (`status`),
  KEY `idx_product_orders_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='实体产品订单表';

CREATE TABLE `refund_settlements` (
  `out_refund_no` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `out_trade_no` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  `origin` enum('operator','foreign') NOT NULL,
  `channel` enum('wechatpay','cloud-function') DEFAULT NULL,
  `transaction_id` varchar(100) DEFAULT NULL,
  `refund_fen` bigint(20) unsigned DEFAULT NULL,
  `order_fen` bigint(20) unsigned DEFAULT NULL,
  `reason` varchar(200) DEFAULT NULL,
  `idempotency_key` varchar(64) DEFAULT NULL,
  `requested_by` varchar(100) DEFAULT NULL,
  `status` enum('pending','success','closed','abnormal') NOT NULL DEFAULT 'pending',
  `stage` enum('requested','sent','accepted','disproven') NOT NULL,
  `sends` int(10) unsigned NOT NULL DEFAULT 0,
  `sent_at` datetime(3) DEFAULT NULL,
  `asks` int(10) unsigned NOT NULL DEFAULT 0,
  `unanswered` int(10) unsigned NOT NULL DEFAULT 0,
  `asked_at` datetime(3) DEFAULT NULL,
  `due_at` datetime(3) DEFAULT NULL,
  `last_answer` varchar(200) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL DEFAULT current_timestamp(3),
  PRIMARY KEY (`out_refund_no`),
  UNIQUE KEY `uq_refund_settlements_idempotency_key` (`idempotency_key`),
  KEY `idx_refund_settlements_due` (`due_at`),
  KEY `idx_refund_settlements_order` (`out_trade_no`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `refunds` (
  `id` varchar(36) NOT NULL COMMENT '退款ID (UUID)',
  `out_refund_no` varchar(100) NOT NULL COMMENT '商户退款单号',
  `refund_id` varchar(100) DEFAULT NULL COMMENT '微信退款单号',
  `out_trade_no` varchar(100) NOT NULL COMMENT '原订单号',
  `transaction_id` varchar(100) DEFAULT NULL COMMENT '微信交易号',
  `refund_amount` decimal(10,2) NOT NULL COMMENT '退款金额（元）',
  `total_amount` decimal(10,2) NOT NULL COMMENT '订单总金额（元）',
  `status` enum('pending','success','closed','abnormal') DEFAULT 'pending' COMMENT '退款状态',
  `reason` text DEFAULT NULL COMMENT '退款原因',
  `refunded_at` timestamp NULL DEFAULT NULL COMMENT '退款完成时间',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `out_refund_no` (`out_refund_no`),
  KEY `idx_out_refund_no` (`out_refund_no`),
  KEY `idx_out_trade_no` (`out_trade_no`),
  KEY `idx_status` (`status`),
  KEY `idx_refunds_updated_at` (`updated_at`),
  KEY `idx_refunds_created_at` (`created_at`,`id`),
  KEY `idx_refunds_refunded_at` (`refunded_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='退款记录表';

CREATE TABLE `users` (
  `id` varchar(36) NOT NULL COMMENT '用户ID (UUID)',
  `openid` varchar(100) DEFAULT NULL COMMENT '微信OpenID',
  `unionid` varchar(100) DEFAULT NULL COMMENT '微信UnionID',
  `nickname` varchar(100) DEFAULT NULL COMMENT '用户昵称',
  `avatar_url` text DEFAULT NULL COMMENT '头像URL',
  `phone` varchar(20) DEFAULT NULL COMMENT '手机号',
  `payment_status` enum('free','basic','premium') DEFAULT 'free' COMMENT '付费状态',
  `regenerate_count` int(11) DEFAULT 3 COMMENT '重新生成次数',
  `last_login_at` timestamp NULL DEFAULT NULL COMMENT '最后登录时间',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `openid` (`openid`),
  KEY `idx_openid` (`openid`),
  KEY `idx_payment_status` (`payment_status`),
  KEY `idx_users_phone` (`phone`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='用户表';
