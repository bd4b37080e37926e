import type { Database } from './database.ts';

/** Long enough to be few statements, short enough for any max_allowed_packet. */
const CHUNK_MAX = 500;

type OrderRow = {
  out_trade_no: string;
  id: string;
  user_id: string;
  amount: string;
  package_type: string;
  trade_type: string | null;
  status: string | null;
  transaction_id: string | null;
  paid_at: string | null;
};
type LedgerRow = { out_trade_no: string; entry: string; user_id: string; package_type: string };
type ExceptionRow = { subject: string; kind: string; reason: string };
type InboxRow = { out_trade_no: string; topic: string; status: string; last_error: string | null };
type OutboxRow = { out_trade_no: string };

/** What the tables say about one order. */
export type OrderFacts = {
  readonly rows: readonly OrderRow[];
  readonly grants: readonly LedgerRow[];
  readonly revocations: number;
  readonly openExceptions: readonly ExceptionRow[];
  readonly inbox: readonly InboxRow[];
  /** How many "payment succeeded" notices are staged. */
  readonly staged: number;
};

export async function readFacts(
  database: Database,
  outTradeNos: readonly string[],
): Promise<Map<string, OrderFacts>> {
  const facts = new Map<string, OrderFacts>();
  for (let from = 0; from < outTradeNos.length; from += CHUNK_MAX) {
    const chunk = outTradeNos.slice(from, from + CHUNK_MAX);
    for (const [outTradeNo, found] of await readChunk(database, chunk)) facts.set(outTradeNo, found);
  }
  return facts;
}

async function readChunk(database: Database, chunk: readonly string[]): Promise<Map<string, OrderFacts>> {
  // Effects before causes: an order that is settled while we read looks unsettled here and settled at the next look.
  const staged = await database.rows<OutboxRow>(
    `SELECT SUBSTRING(message_key, LENGTH('payment_succeeded:') + 1) AS out_trade_no FROM outbox_messages
      WHERE message_key IN (?)`,
    [chunk.map((outTradeNo) => `payment_succeeded:${outTradeNo}`)],
  );
  const ledger = await database.rows<LedgerRow>(
    'SELECT out_trade_no, entry, user_id, package_type FROM entitlement_grants WHERE out_trade_no IN (?)',
    [chunk],
  );
  const exceptions = await database.rows<ExceptionRow>(
    "SELECT subject, kind, reason FROM exceptions WHERE status = 'open' AND subject IN (?)",
    [chunk],
  );
  const inbox = await database.rows<InboxRow>(
    'SELECT out_trade_no, topic, status, last_error FROM inbox_messages WHERE out_trade_no IN (?)',
    [chunk],
  );
  const orders = await database.rows<OrderRow>(
    `SELECT out_trade_no, id, user_id, amount, package_type, trade_type, status, transaction_id, paid_at
       FROM payment_orders WHERE out_trade_no IN (?)`,
    [chunk],
  );
  const by = {
    staged: Map.groupBy(staged, (row) => row.out_trade_no),
    ledger: Map.groupBy(ledger, (row) => row.out_trade_no),
    exceptions: Map.groupBy(exceptions, (row) => row.subject),
    inbox: Map.groupBy(inbox, (row) => row.out_trade_no),
    orders: Map.groupBy(orders, (row) => row.out_trade_no),
  };
  return new Map(
    chunk.map((outTradeNo) => [
      outTradeNo,
      {
        rows: by.orders.get(outTradeNo) ?? [],
        grants: entriesOf(by.ledger.get(outTradeNo), 'grant'),
        revocations: entriesOf(by.ledger.get(outTradeNo), 'revocation').length,
        openExceptions: by.exceptions.get(outTradeNo) ?? [],
        inbox: by.inbox.get(outTradeNo) ?? [],
        staged: by.staged.get(outTradeNo)?.length ?? 0,
      },
    ]),
  );
}

function entriesOf(ledger: readonly LedgerRow[] | undefined, entry: string): LedgerRow[] {
  return (ledger ?? []).filter((row) => row.entry === entry);
}
