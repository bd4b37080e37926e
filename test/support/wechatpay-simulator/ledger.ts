export type TradeType = 'JSAPI' | 'NATIVE';
export type TradeState = 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';

/** What is known of an order's payment, all of it or nothing. */
export type Payment = {
  readonly transactionId: string;
  readonly successTimeMs: number;
  readonly openid: string;
  /** What the customer paid: the total without the coupon. */
  readonly payerTotalFen: number;
  readonly couponFen: number;
  readonly feeFen: number;
};

export type Order = {
  readonly outTradeNo: string;
  readonly tradeType: TradeType;
  readonly totalFen: number;
  readonly description: string;
  readonly attach: string | null;
  /** The payer named in the prepay; a native order has none before somebody pays it. */
  readonly openid: string | null;
  readonly notifyUrl: string;
  readonly parameters: string;
  readonly createdAtMs: number;
  readonly closesAtMs: number;
  prepayValidUntilMs: number;
  state: TradeState;
  payment: Payment | null;
};

export type RefundEnd = 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
export type RefundStatus = 'PROCESSING' | RefundEnd;

export type Refund = {
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly order: Order;
  readonly payment: Payment;
  readonly refundFen: number;
  readonly payerRefundFen: number;
  readonly feeReturnedFen: number;
  readonly notifyUrl: string | null;
  readonly parameters: string;
  readonly createdAtMs: number;
  /** Whether the money has left the merchant's balance: not while WeChat Pay waits for it to suffice. */
  readonly isCovered: boolean;
  /** Every status with the moment it began, the oldest first: a bill shows the one of its day. */
  readonly history: { readonly status: RefundStatus; readonly atMs: number }[];
};

export type MovementKind = 'payment' | 'fee' | 'refund' | 'refund-returned' | 'withdrawal' | 'top-up';

/** One booking on the merchant's account. */
export type Movement = {
  readonly kind: MovementKind;
  readonly atMs: number;
  /** Negative when it leaves the account. */
  readonly amountFen: number;
  readonly balanceFen: number;
  readonly businessNo: string;
  readonly voucherNo: string;
  readonly remark: string;
};

/** What really happened: the tests' truth, and the only state of the simulated WeChat Pay. */
export class Ledger {
  private readonly ordersByNo = new Map<string, Order>();
  private readonly refundsByNo = new Map<string, Refund>();
  private readonly bookings: Movement[] = [];

  get orders(): readonly Readonly<Order>[] {
    return [...this.ordersByNo.values()];
  }

  get refunds(): readonly Readonly<Refund>[] {
    return [...this.refundsByNo.values()];
  }

  get movements(): readonly Movement[] {
    return this.bookings;
  }

  get balanceFen(): number {
    return this.bookings.at(-1)?.balanceFen ?? 0;
  }

  findOrder(outTradeNo: string): Order | undefined {
    return this.ordersByNo.get(outTradeNo);
  }

  /** @throws Error, so that a test notices its own mistake at once */
  getOrder(outTradeNo: string): Order {
    const order = this.findOrder(outTradeNo);
    if (!order) throw new Error(`the ledger has no order ${outTradeNo}`);
    return order;
  }

  findByTransactionId(transactionId: string): Order | undefined {
    return this.orders.find((order) => order.payment?.transactionId === transactionId);
  }

  findRefund(outRefundNo: string): Refund | undefined {
    return this.refundsByNo.get(outRefundNo);
  }

  /** @throws Error, so that a test notices its own mistake at once */
  getRefund(outRefundNo: string): Refund {
    const refund = this.findRefund(outRefundNo);
    if (!refund) throw new Error(`the ledger has no refund ${outRefundNo}`);
    return refund;
  }

  refundsOf(order: Readonly<Order>): readonly Refund[] {
    return [...this.refundsByNo.values()].filter((refund) => refund.order.outTradeNo === order.outTradeNo);
  }

  addOrder(order: Order): void {
    this.ordersByNo.set(order.outTradeNo, order);
  }

  addRefund(refund: Refund): void {
    this.refundsByNo.set(refund.outRefundNo, refund);
  }

  book(movement: Omit<Movement, 'balanceFen'>): void {
    if (movement.amountFen === 0) return;
    this.bookings.push({ ...movement, balanceFen: this.balanceFen + movement.amountFen });
  }
}

export function statusOf(refund: Readonly<Refund>): RefundStatus {
  return refund.history.at(-1)?.status ?? 'PROCESSING';
}

export function statusAt(refund: Readonly<Refund>, atMs: number): RefundStatus {
  return refund.history.findLast((step) => step.atMs <= atMs)?.status ?? 'PROCESSING';
}

/** @returns when the money reached the customer, or null */
export function refundSuccessTimeMs(refund: Readonly<Refund>): number | null {
  return refund.history.find(({ status }) => status === 'SUCCESS')?.atMs ?? null;
}

export function isPaid(order: Readonly<Order>): boolean {
  return order.state === 'SUCCESS' || order.state === 'REFUND';
}
