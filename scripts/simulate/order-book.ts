export type Package = 'basic' | 'premium';

/** What the backend must have made of an order once it is quiet. */
export type Expectation =
  | {
      readonly kind: 'granted';
      readonly packageType: Package;
      /** Who gets it; left out when only the backend can know. */
      readonly userId?: string;
      /** Open exceptions that belong to the case although it is granted. */
      readonly alsoOpen?: readonly string[];
      /** A message about it may sleep on, because what it waited for came by another road. */
      readonly maySleep?: boolean;
    }
  /** Granted once, and taken back once: all of its money went back. */
  | { readonly kind: 'refunded'; readonly packageType: Package; readonly userId: string }
  | { readonly kind: 'held'; readonly by: readonly string[] }
  /** Paid without an order, or without proof: kept until it comes or an operator is told. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'unpaid' }
  /** WeChat Pay takes no money for it any more. */
  | { readonly kind: 'failed' }
  /** Refused before anything was stored. */
  | { readonly kind: 'nothing' };

export type Payment = {
  readonly outTradeNo: string;
  readonly transactionId: string;
  readonly amountFen: number;
  readonly payerOpenid: string | null;
};

export type PostPath = 'order-created' | 'notify';
export type Post = { readonly path: PostPath; readonly body: Readonly<Record<string, unknown>> };

/** What this simulation knows about an order, whatever the backend says. */
export type OrderTruth = {
  readonly outTradeNo: string;
  readonly story: string;
  expected: Expectation | null;
  /** What WeChat Pay would testify. */
  payment: Payment | null;
  readonly posts: Post[];
  readonly acknowledged: Record<PostPath, number>;
};

export class OrderBook {
  private readonly orders = new Map<string, OrderTruth>();

  open(outTradeNo: string, story: string): void {
    this.orders.set(outTradeNo, {
      outTradeNo,
      story,
      expected: null,
      payment: null,
      posts: [],
      acknowledged: { 'order-created': 0, notify: 0 },
    });
  }

  get(outTradeNo: string): OrderTruth {
    const truth = this.orders.get(outTradeNo);
    if (!truth) throw new Error(`the order ${outTradeNo} is not in the book`);
    return truth;
  }

  all(): OrderTruth[] {
    return [...this.orders.values()];
  }
}
