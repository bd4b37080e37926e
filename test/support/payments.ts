import { OperatorGrantsService } from '../../src/payments/operator-grants.service.js';
import { PaymentsService } from '../../src/payments/payments.service.js';
import type { PaidClaim, PaidOutcome, PaymentEvidence } from '../../src/payments/payments.types.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import type { OutTradeNo } from '../../src/shared/ids.js';
import { Money } from '../../src/shared/money.js';
import type { TestApplication } from './application.js';
import type { TestDatabase } from './database.js';

/** Calls recordPaid as the handler of a notice does, in a transaction of its own. */
export function recordPaid(
  application: TestApplication,
  outTradeNo: string,
  changes: Partial<PaidClaim> = {},
): Promise<PaidOutcome> {
  const payments = application.app.get(PaymentsService);
  const claim: PaidClaim = {
    outTradeNo: outTradeNo as OutTradeNo,
    source: 'notify',
    evidence: null,
    transactionId: `4200${outTradeNo}`,
    openid: null,
    generationId: null,
    seenAt: new Date(),
    ...changes,
  };
  return application.app.get(UnitOfWork).run((tx) => payments.recordPaid(tx, claim));
}

/** WeChat Pay's own word that so much was paid by this transaction. */
export function evidenceOf(transactionId: string, fen: number): PaymentEvidence {
  const amount = Money.ofFen(fen);
  return { transactionId, amount, paidAt: new Date(), openid: null, tradeType: 'JSAPI', refunded: false };
}

/** What an operator decides about a held order. */
export async function grantAsOperator({ app }: TestApplication, outTradeNo: string): Promise<void> {
  await app.get(UnitOfWork).run(async (tx) => {
    const order = await app.get(OperatorGrantsService).lockOrder(tx, outTradeNo as OutTradeNo);
    const decision = { packageType: 'premium', by: { name: 'admin:test' }, note: 'a favour' } as const;
    await app.get(OperatorGrantsService).grant(tx, order, { outTradeNo: order.outTradeNo, ...decision });
  });
}

export type OrderState = {
  order: Record<string, unknown> | undefined;
  grants: {
    entry: string;
    user_id: string;
    package_type: string;
    regenerate_delta: number;
    granted_by: string;
  }[];
  exceptions: { kind: string; reason: string; status: string }[];
  user: { payment_status: string; regenerate_count: number; openid: string | null } | undefined;
};

/** Everything the tables say about one order. */
export async function readOrder(database: TestDatabase, outTradeNo: string): Promise<OrderState> {
  const [order] = await database.query('SELECT * FROM payment_orders WHERE out_trade_no = ?', [outTradeNo]);
  const [user] = await database.query<NonNullable<OrderState['user']>>(
    'SELECT payment_status, regenerate_count, openid FROM users WHERE id = ?',
    [order?.user_id ?? ''],
  );
  return {
    order,
    user,
    grants: await database.query('SELECT * FROM entitlement_grants WHERE out_trade_no = ? ORDER BY id', [
      outTradeNo,
    ]),
    exceptions: await database.query(
      'SELECT kind, reason, status FROM exceptions WHERE subject = ? ORDER BY id',
      [outTradeNo],
    ),
  };
}
