import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_FEN } from './plan.ts';
import type { World } from './world.ts';

const SALES = 8;
/** Behind the moment that a sweep has looked at by then. */
const HELD_OPEN_MS = 3_500;
const HELD_OPEN_STEP_MS = 500;

/**
 * Functions turn rows to paid and tell nobody, when nothing fails any more: from here on the time is promised in which the
 * sweeps find them. Half of the rows are committed long after they were written.
 */
export async function payInCalm({ shop, functions }: World): Promise<void> {
  const sales = Array.from({ length: SALES }, (_, user) => shop.open('premium', user));
  await Promise.all(
    sales.map(async (sale, at) => {
      if (!(await functions.insertOrder({ ...sale, amountFen: PACKAGE_FEN.premium }))) return;
      const payment = shop.pay(sale);
      if (at % 2 === 0) await functions.markPaid(sale.outTradeNo, payment);
      else
        await functions.markPaidLate(sale.outTradeNo, payment, () =>
          sleep(HELD_OPEN_MS + at * HELD_OPEN_STEP_MS),
        );
    }),
  );
}
