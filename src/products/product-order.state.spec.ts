import { describe, expect, it } from 'vitest';
import {
  nextProductOrderState,
  PRODUCT_ORDER_STATES,
  productOrderStatesChangedBy,
} from './product-order.state.js';

describe('product order states', () => {
  it('go one way, and what was paid goes to the workshop before it is shipped', () => {
    expect(productOrderStatesChangedBy('payment_recorded')).toEqual(['pending']);
    expect(productOrderStatesChangedBy('given_to_workshop')).toEqual(['paid']);
    expect(productOrderStatesChangedBy('shipped')).toEqual(['exported']);
    expect(productOrderStatesChangedBy('delivered')).toEqual(['shipped']);
  });

  it('end as cancelled only before it is on its way', () => {
    expect(productOrderStatesChangedBy('cancelled')).toEqual(['pending', 'paid', 'exported']);
    for (const event of ['payment_recorded', 'given_to_workshop', 'shipped', 'delivered'] as const) {
      expect(nextProductOrderState('cancelled', event)).toBeNull();
    }
    expect(PRODUCT_ORDER_STATES).toContain('cancelled');
  });
});
