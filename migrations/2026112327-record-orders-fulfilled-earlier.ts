import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration } from './support.js';

/**
 * Orders paid before this backend came were fulfilled by the previous system: the ledger says so, and grants them no more.
 * The server may hold package types as '' where it was not strict; such an order counts as free.
 */
export class RecordOrdersFulfilledEarlier2026112300027 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      INSERT INTO entitlement_grants
        (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, reason, granted_by)
      SELECT
        orders.out_trade_no, 'grant', orders.user_id,
        CASE WHEN orders.package_type IN ('basic', 'premium') THEN orders.package_type ELSE 'free' END,
        0, 'fulfilled_earlier', 'Paid before this backend: fulfilled by the previous system.', 'system:migration'
      FROM payment_orders AS orders
      LEFT JOIN entitlement_grants AS grants ON grants.out_trade_no = orders.out_trade_no
      WHERE orders.status IN ('paid', 'refunded') AND grants.id IS NULL`);
  }
}
