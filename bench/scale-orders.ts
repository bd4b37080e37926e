/**
 * The orders of `bench:scale` as SQL over a table of numbers: the server makes them itself, several times faster than rows that
 * travel. Each is a function of its place, so that every run has the same table.
 */
export type OrderTimes = { readonly firstMs: number; readonly stepMs: number };

/** One user has so much that a deep page exists there, too: each hundredth order. */
export const BUSY_USER = 'user-0000000000000-busy';

/** Of a thousand orders. The rest is paid and granted. */
const SHARES = { pending: 10, failed: 100, refunded: 30, held: 2 };
const UP_TO = {
  pending: SHARES.pending,
  failed: SHARES.pending + SHARES.failed,
  refunded: SHARES.pending + SHARES.failed + SHARES.refunded,
  held: SHARES.pending + SHARES.failed + SHARES.refunded + SHARES.held,
};
const ORDERS_PER_USER = 5;
/** A notice came for each so-manieth paid order, and was told on; the others were found by the sweep. */
const ORDERS_PER_NOTICE = 10;

export const NUMBERS_TABLE = 'CREATE TEMPORARY TABLE numbers (n INT PRIMARY KEY)';

export const STAGING_TABLE = `CREATE TEMPORARY TABLE staged (
  place INT PRIMARY KEY, id VARCHAR(36), user_id VARCHAR(36), generation_id VARCHAR(36), out_trade_no VARCHAR(100),
  transaction_id VARCHAR(100), amount DECIMAL(10, 2), package_type VARCHAR(10), trade_type VARCHAR(20), status VARCHAR(10),
  is_held BOOLEAN, is_noticed BOOLEAN, created_at TIMESTAMP NULL, paid_at TIMESTAMP NULL, updated_at TIMESTAMP NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

/** The orders of a batch, computed once: values are the first place and the length of the batch. */
export function stageSql({ firstMs, stepMs }: OrderTimes, latestMs: number): string {
  const ms = (place: string) => `(${firstMs} + ${place} * ${stepMs})`;
  const time = (of: string) => `FROM_UNIXTIME(${of} DIV 1000)`;
  const userMs = ms(`(place DIV ${ORDERS_PER_USER} * ${ORDERS_PER_USER})`);
  const latest = time(String(latestMs));
  return `INSERT INTO staged
    SELECT place, CONCAT('order-', ms, '-', scattered),
      IF(place MOD 100 = 0, '${BUSY_USER}', CONCAT('user-', ${userMs}, '-', LPAD(place DIV ${ORDERS_PER_USER}, 7, '0'))),
      CONCAT('gen-', ms, '-', scattered), CONCAT(ms, LPAD(chance MOD 100000, 5, '0')),
      IF(slot >= ${UP_TO.failed}, CONCAT('4200', DATE_FORMAT(${time('ms')}, '%Y%m%d'), LPAD(chance, 10, '0'), LPAD(place MOD 1000000, 6, '0')), NULL),
      IF(is_premium AND NOT is_held, '29.90', '0.01'), IF(is_premium, 'premium', 'basic'), IF(chance MOD 10 = 0, 'NATIVE', 'JSAPI'),
      CASE WHEN slot < ${UP_TO.pending} THEN 'pending' WHEN slot < ${UP_TO.failed} THEN 'failed'
           WHEN slot < ${UP_TO.refunded} THEN 'refunded' ELSE 'paid' END,
      is_held, slot >= ${UP_TO.held} AND place MOD ${ORDERS_PER_NOTICE} = 1,
      ${time('ms')}, IF(slot >= ${UP_TO.failed}, ${time('ms')} + INTERVAL 20 SECOND, NULL),
      LEAST(${latest}, ${time('ms')} + INTERVAL
        CASE WHEN slot < ${UP_TO.pending} THEN 0 WHEN slot < ${UP_TO.failed} THEN 7200 WHEN slot < ${UP_TO.refunded} THEN 86400 ELSE 21 END SECOND)
    FROM (SELECT place, ms, chance, slot, LPAD(LOWER(CONV(chance, 10, 36)), 7, '0') AS scattered,
                 slot >= ${UP_TO.refunded} AND slot < ${UP_TO.held} AS is_held,
                 (chance DIV 1000) MOD 10 < 3 OR (slot >= ${UP_TO.refunded} AND slot < ${UP_TO.held}) AS is_premium
            FROM (SELECT place, ${ms('place')} AS ms, chance, chance MOD 1000 AS slot
                    FROM (SELECT n + ? AS place, CRC32(n + ?) AS chance FROM numbers WHERE n < ?) numbered) scattered_numbers) orders`;
}

/** What a batch puts into the tables, in the order of the foreign keys. Every queue's work is done. */
export const BATCH_SQL = [
  `INSERT INTO users (id, openid, payment_status, regenerate_count, last_login_at, created_at)
   SELECT CONCAT('user-', SUBSTRING(id, 7, 13), '-', LPAD(place DIV ${ORDERS_PER_USER}, 7, '0')),
          CONCAT('oBench', LPAD(place DIV ${ORDERS_PER_USER}, 22, '0')), 'basic', 8, created_at, created_at
     FROM staged WHERE place MOD ${ORDERS_PER_USER} = 0 ORDER BY place`,
  `INSERT INTO payment_orders
     (id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, trade_type, status, paid_at, created_at, updated_at)
   SELECT id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, trade_type, status, paid_at, created_at, updated_at
     FROM staged ORDER BY place`,
  `INSERT INTO entitlement_grants
     (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, transaction_id, granted_by, created_at)
   SELECT out_trade_no, 'grant', user_id, package_type, IF(package_type = 'premium', 20, 5), 'payment', transaction_id, 'bench', paid_at
     FROM staged WHERE status IN ('paid', 'refunded') AND NOT is_held ORDER BY place`,
  `INSERT INTO entitlement_grants (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, granted_by, created_at)
   SELECT out_trade_no, 'revocation', user_id, package_type, 0, 'payment', 'bench', updated_at
     FROM staged WHERE status = 'refunded' ORDER BY place`,
  `INSERT INTO refunds
     (id, out_refund_no, refund_id, out_trade_no, transaction_id, refund_amount, total_amount, status, refunded_at, created_at, updated_at)
   SELECT CONCAT('refund-', out_trade_no), CONCAT('RF', out_trade_no), CONCAT('5030', out_trade_no), out_trade_no, transaction_id,
          amount, amount, 'success', updated_at, updated_at, updated_at
     FROM staged WHERE status = 'refunded' ORDER BY place`,
  `INSERT INTO refund_settlements
     (out_refund_no, out_trade_no, origin, channel, transaction_id, refund_fen, order_fen, requested_by, status, stage, sends, asks, created_at)
   SELECT CONCAT('RF', out_trade_no), out_trade_no, 'operator', 'wechatpay', transaction_id, amount * 100, amount * 100, 'bench',
          'success', 'accepted', 1, 1, updated_at
     FROM staged WHERE status = 'refunded' ORDER BY place`,
  `INSERT INTO exceptions (kind, subject, reason, status, opened_at)
   SELECT 'payment_held', out_trade_no, 'The amount is no price of the package.', 'open', paid_at FROM staged WHERE is_held ORDER BY place`,
  `INSERT INTO order_queries (out_trade_no, asks, due_at, created_at)
   SELECT out_trade_no, 1, NOW(3) + INTERVAL 1 DAY, created_at FROM staged WHERE status = 'pending' ORDER BY place`,
  `INSERT INTO inbox_messages (topic, dedupe_key, out_trade_no, payload, status, available_at, received_at, handled_at, outcome)
   SELECT 'payment_notified', SHA2(out_trade_no, 256), out_trade_no,
          JSON_OBJECT('outTradeNo', out_trade_no, 'transactionId', transaction_id, 'status', 'paid', 'packageType', package_type),
          'handled', paid_at, paid_at, paid_at, 'granted'
     FROM staged WHERE is_noticed ORDER BY place`,
  ...['', 'webhook'].map(
    (
      channel,
    ) => `INSERT INTO outbox_messages (topic, channel, message_key, payload, status, available_at, wanted_since, created_at)
   SELECT 'payment_succeeded', '${channel}', CONCAT('payment_succeeded:', out_trade_no, '${channel && ':webhook'}'),
          JSON_OBJECT('outTradeNo', out_trade_no, 'orderId', id, 'userId', user_id, 'packageType', package_type),
          '${channel ? 'sent' : 'distributed'}', paid_at, paid_at, paid_at
     FROM staged WHERE is_noticed ORDER BY place`,
  ),
];

/** Changed as if a moment ago, and settled all the same: what the hot windows have to pass over in a shop that is open. */
export const TOUCH_SQL = [
  'UPDATE payment_orders SET updated_at = NOW() ORDER BY created_at DESC LIMIT 150',
  'UPDATE refunds SET updated_at = NOW() ORDER BY created_at DESC LIMIT 10',
];

export const SEEDED_TABLES = [
  'users',
  'payment_orders',
  'entitlement_grants',
  'refunds',
  'refund_settlements',
  'exceptions',
  'order_queries',
  'inbox_messages',
  'outbox_messages',
];
