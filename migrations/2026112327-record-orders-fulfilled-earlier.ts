import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration } from './support.js';

/**
 * Orders paid before this backend came were fulfilled by the previous system: the ledger says so, and grants them no more.
 * What was refunded as well gets a revocation line, so that its grant is not counted as live.
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
    await queryRunner.query(`
      INSERT INTO entitlement_grants
        (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, reason, granted_by)
      SELECT
        grants.out_trade_no, 'revocation', grants.user_id, grants.package_type,
        0, 'fulfilled_earlier', 'Refunded before this backend.', 'system:migration'
      FROM entitlement_grants AS grants
      JOIN payment_orders AS orders ON orders.out_trade_no = grants.out_trade_no AND orders.status = 'refunded'
      LEFT JOIN entitlement_grants AS revoked
        ON revoked.out_trade_no = grants.out_trade_no AND revoked.entry = 'revocation'
      WHERE grants.entry = 'grant' AND grants.origin = 'fulfilled_earlier' AND revoked.id IS NULL`);
  }
}
