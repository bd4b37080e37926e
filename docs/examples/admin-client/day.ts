/*
 * A day at the admin API, by a client that is generated from docs/openapi.json:
 *
 *   cd docs/examples/admin-client && npx openapi-ts
 *   ADMIN_URL=http://localhost:8080 ADMIN_TOKEN=wxadm_… ADMIN_ADMIN_TOKEN=wxadm_… node day.ts HELD_ORDER PAID_ORDER
 *
 * It looks at an order that is held and releases it, refunds half of another, schedules a price for tomorrow and exports
 * the month. The first token is an operator's, the second an administrator's: prices are an administrator's work.
 */
import { createClient } from './client/client/index.ts';
import {
  adminPricesSchedule,
  exceptionsGrant,
  exceptionsList,
  exportsOrders,
  ordersGet,
  ordersList,
  refundsRequest,
} from './client/index.ts';

const DAY_MS = 86_400_000;
const [heldOrder = '', paidOrder = ''] = process.argv.slice(2);
const baseUrl = process.env.ADMIN_URL ?? 'http://localhost:8080';
const operator = createClient({ baseUrl, auth: process.env.ADMIN_TOKEN ?? '' });
const administrator = createClient({ baseUrl, auth: process.env.ADMIN_ADMIN_TOKEN ?? '' });

/** The answer, or an error with the words of the API in it. */
function answerOf<Data>({
  data,
  error,
  response,
}: {
  data?: Data;
  error?: unknown;
  response?: Response;
}): Data {
  if (data !== undefined) return data;
  if (response) throw new Error(`${response.status}: ${JSON.stringify(error)}`);
  throw error;
}

/** Find an order, and see why it is held. */
const found = answerOf(await ordersList({ client: operator, query: { outTradeNo: heldOrder } }));
console.log(`held: ${found.data[0]?.held}`);
const open = answerOf(await exceptionsList({ client: operator, query: { subject: heldOrder } })).data[0];
if (!open) throw new Error(`nothing is open about ${heldOrder}`);
console.log(`it may be: ${open.actions.join(', ')}`);

/** Release it. */
const release = await exceptionsGrant({
  client: operator,
  path: { id: open.id },
  body: { packageType: 'basic', note: '客户已补差价' },
});
console.log(`released: ${answerOf(release).data.outcome}`);

/** Refund half of another. The key is new for each intent: whatever is repeated with it stays one refund. */
const paid = answerOf(await ordersGet({ client: operator, path: { outTradeNo: paidOrder } })).data.order;
if (paid.amountFen === null) throw new Error(`nobody knows what ${paidOrder} cost`);
const half = Math.floor(paid.amountFen / 2);
const refund = await refundsRequest({
  client: operator,
  headers: { 'Idempotency-Key': `half-of-${paidOrder}` },
  body: {
    outTradeNo: paidOrder,
    amount: `${Math.floor(half / 100)}.${String(half % 100).padStart(2, '0')}`,
    reason: '协商退一半',
  },
});
console.log(`refund: ${answerOf(refund).data.amount} of ${paid.amount} yuan`);

/** A price for tomorrow. */
const price = await adminPricesSchedule({
  client: administrator,
  body: {
    packageType: 'premium',
    amount: '39.90',
    effectiveAt: new Date(Date.now() + DAY_MS).toISOString(),
  },
});
console.log(`scheduled: ${answerOf(price).data.amount} yuan`);

/** The last 31 days as a file: of a large one, take the answer as a stream. Without its last line, the sums, it is not whole. */
const file = await exportsOrders({
  client: operator,
  parseAs: 'blob',
  query: {
    from: new Date(Date.now() - 31 * DAY_MS).toISOString(),
    to: new Date(Date.now() + DAY_MS).toISOString(),
  },
});
const lines = (await answerOf(file).text()).trimEnd().split('\r\n');
console.log(`exported: ${lines.at(-1)?.split(',')[0]}`);
