import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PAYMENT_ORDER_STATES,
  nextPaymentOrderState,
  paymentOrderStatesChangedBy,
} from './payment-order.state.js';
import type { PaymentOrderEvent, PaymentOrderState } from './payment-order.state.js';

const EVENTS: PaymentOrderEvent[] = ['payment_proven', 'closed', 'fully_refunded'];

describe('payment order states', () => {
  it('lets evidence of payment win over everything but a refund', () => {
    expect(paymentOrderStatesChangedBy('payment_proven')).toEqual(['pending', 'failed']);
    expect(nextPaymentOrderState('failed', 'payment_proven')).toBe('paid');
    expect(nextPaymentOrderState('refunded', 'payment_proven')).toBe('refunded');
  });

  it('never fails or forgets an order that was paid, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 }), (events) => {
        let state: PaymentOrderState = 'pending';
        let wasPaid = false;
        for (const event of events) {
          state = nextPaymentOrderState(state, event) ?? state;
          wasPaid ||= state === 'paid';
          expect(PAYMENT_ORDER_STATES).toContain(state);
          if (wasPaid) expect(['paid', 'refunded']).toContain(state);
        }
      }),
    );
  });
});
