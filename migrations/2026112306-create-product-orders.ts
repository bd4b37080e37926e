import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreateProductOrders2026112300006 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS product_orders (
        id VARCHAR(36) PRIMARY KEY,
        user_id VARCHAR(36) NOT NULL,
        generation_id VARCHAR(36),
        product_type ENUM('crystal', 'scroll') NOT NULL,
        product_price DECIMAL(10, 2) NOT NULL,
        shipping_name VARCHAR(100),
        shipping_phone VARCHAR(20),
        shipping_address TEXT,
        status ENUM('pending', 'paid', 'exported', 'shipped', 'delivered', 'cancelled') DEFAULT 'pending',
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        INDEX idx_user_id (user_id),
        INDEX idx_status (status)
      ) ${await contractTableOptions(queryRunner, '实体产品订单表')}`);
  }
}
