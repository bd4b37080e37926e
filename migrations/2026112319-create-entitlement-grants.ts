import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, orderNumberColumn, OWN_TABLE_OPTIONS } from './support.js';

/** The ledger of grants. The sweep joins it with payment_orders by out_trade_no, hence the collation of that column. */
export class CreateEntitlementGrants2026112300019 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS entitlement_grants (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        ${await orderNumberColumn(queryRunner, 'out_trade_no')},
        entry ENUM('grant', 'revocation') NOT NULL DEFAULT 'grant',
        user_id VARCHAR(36) NOT NULL,
        package_type ENUM('free', 'basic', 'premium') NOT NULL,
        regenerate_delta INT NOT NULL,
        origin ENUM('payment', 'fulfilled_earlier', 'manual') NOT NULL,
        transaction_id VARCHAR(100) NULL,
        reason VARCHAR(500) NULL,
        granted_by VARCHAR(100) NOT NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        UNIQUE INDEX uq_entitlement_grants_order_entry (out_trade_no, entry),
        UNIQUE INDEX uq_entitlement_grants_transaction (transaction_id),
        INDEX idx_entitlement_grants_user (user_id)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
