import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PAYMENT_ORDER_TABLE } from '../../src/payments/payment-order.state.js';
import { PRODUCT_ORDER_TABLE } from '../../src/products/product-order.state.js';
import { REFUND_TABLE } from '../../src/refunds/refund.state.js';

const FILE = new URL('../../docs/states.md', import.meta.url);

function diagram(table: Record<string, Partial<Record<string, string>>>): string {
  const edges = Object.entries(table).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => `  ${from} --> ${to}: ${event}`),
  );
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> pending', ...edges, '```'].join('\n');
}

// A diagram that differs from the code misleads whoever trusts it at night.
it('docs/states.md shows the state tables of the code', () => {
  const text = [
    '# States',
    '',
    'Made from the state tables in the code by `UPDATE_DOCS=1 npm run unit`; a test fails when it is stale.',
    '',
    '## Payment order (`payment_orders.status`)',
    '',
    diagram(PAYMENT_ORDER_TABLE),
    '',
    'What is not drawn is refused: no event leads out of `refunded`, and nothing turns a paid order into `failed`.',
    '',
    '## Refund (`refund_settlements.status`, shown in `refunds.status`)',
    '',
    diagram(REFUND_TABLE),
    '',
    'Nothing leads out of `success`. Only the word of WeChat Pay, which has the refund after all, leads out of `closed`.',
    '',
    '## Product order (`product_orders.status`)',
    '',
    diagram(PRODUCT_ORDER_TABLE),
    '',
    'An order becomes `exported` in the transaction that puts it into a batch, and in no other way.',
    '',
  ].join('\n');
  if (process.env.UPDATE_DOCS) writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});
