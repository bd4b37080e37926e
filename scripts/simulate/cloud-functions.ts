import type { BackendApi } from './backend-api.ts';
import { isDuplicateEntry } from './database.ts';
import type { Database } from './database.ts';
import type {
  CallbackHabits,
  NewRow,
  OrderEvent,
  OrderHabits,
  Outage,
  PlacedOrder,
  Prepay,
} from './function-habits.ts';
import type { Identities } from './identities.ts';
import { toFen, toYuan } from './money.ts';
import type { OrderBook, Payment, Post } from './order-book.ts';

type Surroundings = {
  readonly api: BackendApi;
  readonly database: Database;
  readonly ids: Identities;
  readonly book: OrderBook;
  /** Another road to the prices, for an instance that cannot reach them. */
  readonly readPrices?: () => Promise<{ basic?: number; premium?: number }>;
  /** Where there is a WeChat Pay; without one every order is taken as accepted. */
  readonly prepay?: Prepay;
};

type FoundOrder = { id: string; status: string; package_type: string; generation_id: string };

const PRICE_CACHE_MS = 5 * 60_000;
const FALLBACK_PRICES = { basic: 0.01, premium: 29.9 } as const;
/** The functions run on Beijing time and write it without a zone. */
const LOCAL_CLOCK_AHEAD_MS = 8 * 60 * 60_000;
/** What drivers put into their errors; the password in it must not surface anywhere. */
export const PASSWORD_CANARY = 'canary-pw-7f3a';
const ERROR_TEXT = `connect ECONNREFUSED mysql://pay:${PASSWORD_CANARY}@10.0.0.5:3306`;

/** The deployed `wxpay_order` and `wxpay_order_callback`, with their habits. One object is one warm instance. */
export class CloudFunctions {
  private readonly api: BackendApi;
  private readonly database: Database;
  private readonly ids: Identities;
  private readonly book: OrderBook;
  private readonly readPrices: () => Promise<{ basic?: number; premium?: number }>;
  private readonly prepay: Prepay;
  private cachedPrices: { packages: Partial<Record<string, number>>; untilMs: number } | null = null;

  constructor(world: Surroundings) {
    this.api = world.api;
    this.database = world.database;
    this.ids = world.ids;
    this.book = world.book;
    this.readPrices = world.readPrices ?? (() => world.api.currentPrices());
    this.prepay = world.prepay ?? (() => undefined);
  }

  async wxpayOrder(event: OrderEvent, story: string, habits: OrderHabits = {}): Promise<PlacedOrder> {
    const { outage, backup = 'now' } = habits;
    const prices = await this.prices();
    const stated = event.amount || toFen(prices[event.packageType ?? ''] ?? 0);
    const outTradeNo = this.ids.outTradeNo();
    this.book.open(outTradeNo, story);
    const { madeSecondsAgo = null } = habits;
    const order = this.compose(event, {
      outTradeNo,
      stated,
      outage: outage ?? 'db_insert_failed',
      madeSecondsAgo,
    });
    const totalFen = habits.chargedFen ?? order.amountFen;
    this.prepay({ outTradeNo, totalFen, tradeType: order.row.tradeType, openid: event.openid || undefined });
    // WeChat Pay has accepted the order here: from now on it can be paid, whatever becomes of it in a database.
    const isStored = (!outage || habits.commitsAnyway) && (await this.insert(order.row));
    if ((outage || !isStored) && backup === 'now') await this.backUp(order);
    return order;
  }

  /** Sends the backup that `backup: 'later'` held back; some arrive late. */
  async backUp(order: PlacedOrder): Promise<void> {
    this.book.get(order.outTradeNo).posts.push(order.backup);
    await this.api.post(order.backup);
  }

  /** @returns whether the row is there by this or an earlier insert */
  async insert(row: NewRow): Promise<boolean> {
    try {
      const userId = await this.findOrCreateUser(row);
      const isOld = row.madeSecondsAgo !== null;
      await this.database.run(
        `INSERT INTO payment_orders
           (id, user_id, generation_id, out_trade_no, amount, package_type, payment_method, trade_type, status,
            _openid${isOld ? ', created_at' : ''})
         VALUES (?, ?, ?, ?, ?, ?, 'wechat', ?, 'pending', ?${isOld ? ', NOW() - INTERVAL ? SECOND' : ''})`,
        [
          row.id,
          userId,
          row.generationId ?? userId,
          row.outTradeNo,
          row.amountYuan,
          row.packageType,
          row.tradeType,
          row.openid,
          ...(row.madeSecondsAgo === null ? [] : [row.madeSecondsAgo]),
        ],
      );
      return true;
    } catch (error) {
      return isDuplicateEntry(error);
    }
  }

  /** WeChat Pay says an order was paid. Resolves when the notify was answered, which the function itself does not wait for. */
  async wxpayOrderCallback(payment: Payment, habits: CallbackHabits = {}): Promise<void> {
    const found = habits.findsNothing ? undefined : await this.findOrder(payment.outTradeNo);
    if (found?.status === 'paid') return;
    if (!found) await this.rescue(payment, habits);
    else if (!habits.writeFails) await this.markPaid(payment);
    if (!habits.notifyLost) await this.notify(payment, found, habits);
  }

  async markPaid({ outTradeNo, transactionId }: Payment): Promise<void> {
    await this.database.run(...paidUpdate(outTradeNo, transactionId));
  }

  /** Where nothing was found, only the short form can be filled. */
  async notify(payment: Payment, found?: FoundOrder, habits: CallbackHabits = {}): Promise<void> {
    const { outTradeNo, transactionId, payerOpenid } = payment;
    const body = {
      outTradeNo,
      transactionId: habits.withoutTransactionId ? undefined : transactionId,
      status: 'paid',
      ...(found ? { packageType: found.package_type, generationId: found.generation_id } : {}),
      openid: payerOpenid ?? undefined,
    };
    const post: Post = { path: 'notify', body };
    this.book.get(outTradeNo).posts.push(post);
    await this.api.post(post);
  }

  private async findOrder(outTradeNo: string): Promise<FoundOrder | undefined> {
    const [found] = await this.database.rows<FoundOrder>(
      'SELECT id, status, package_type, generation_id FROM payment_orders WHERE out_trade_no = ?',
      [outTradeNo],
    );
    return found;
  }

  /** The money is there and the order is not: a row is made up. Its package is a guess, and its user may not exist. */
  private async rescue(payment: Payment, { amountUnknown }: CallbackHabits): Promise<void> {
    const { outTradeNo, transactionId, payerOpenid } = payment;
    const userId = (await this.findByOpenid(payerOpenid ?? '')) ?? this.ids.userId();
    try {
      await this.database.run(
        `INSERT INTO payment_orders
           (id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, payment_method, trade_type, status, paid_at, _openid)
         VALUES (?, ?, ?, ?, ?, ?, 'basic', 'wechat', 'JSAPI', 'paid', ?, ?)`,
        [
          `order-${outTradeNo}`,
          userId,
          userId,
          outTradeNo,
          transactionId,
          amountUnknown ? '0.00' : toYuan(payment.amountFen),
          localClock(),
          payerOpenid ?? '',
        ],
      );
    } catch (error) {
      // The function notes the failure and goes on: nobody has such a user, or the order came meanwhile.
      if (!(error instanceof Error && 'errno' in error)) throw error;
    }
  }

  /** By id, then by openid; a new user only for an openid. An id that nobody has makes the insert fail later. */
  private async findOrCreateUser({ userId, openid }: NewRow): Promise<string | null> {
    const [byId] = await this.database.rows<{ id: string }>('SELECT id FROM users WHERE id = ?', [
      userId ?? '',
    ]);
    if (byId || !openid) return byId?.id ?? userId;
    const known = await this.findByOpenid(openid);
    if (known) return known;
    const id = this.ids.userId();
    try {
      await this.database.run("INSERT INTO users (id, openid, payment_status) VALUES (?, ?, 'free')", [
        id,
        openid,
      ]);
      return id;
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return this.findByOpenid(openid);
    }
  }

  /** Without regard to case, as the column's usual collation compares. */
  private async findByOpenid(openid: string): Promise<string | null> {
    const [found] = await this.database.rows<{ id: string }>('SELECT id FROM users WHERE openid = ?', [
      openid,
    ]);
    return found?.id ?? null;
  }

  /** From the backend, kept for five minutes; the built-in ones on any error, and in place of a price that is none. */
  private async prices(): Promise<Partial<Record<string, number>>> {
    if (this.cachedPrices && this.cachedPrices.untilMs > Date.now()) return this.cachedPrices.packages;
    try {
      const { basic, premium } = await this.readPrices();
      const packages = {
        basic: basic || FALLBACK_PRICES.basic,
        premium: premium || FALLBACK_PRICES.premium,
      };
      this.cachedPrices = { packages, untilMs: Date.now() + PRICE_CACHE_MS };
      return packages;
    } catch {
      return FALLBACK_PRICES;
    }
  }

  private compose(
    event: OrderEvent,
    facts: {
      outTradeNo: string;
      stated: number | string;
      outage: Outage;
      madeSecondsAgo: number | null;
    },
  ): PlacedOrder {
    const { outTradeNo, stated, outage, madeSecondsAgo } = facts;
    const orderId = this.ids.orderId();
    const amountFen = Number(stated);
    const tradeType = event.tradeType ?? 'JSAPI';
    const body = {
      ...(outage === 'db_exception' ? {} : { orderId }),
      outTradeNo,
      userId: event.userId,
      openid: event.openid,
      amount: stated,
      packageType: event.packageType,
      tradeType,
      status: 'pending',
      reason: outage,
      ...(outage === 'db_unavailable' ? {} : { dbError: ERROR_TEXT }),
    };
    return {
      outTradeNo,
      amountFen,
      backup: { path: 'order-created', body },
      row: {
        id: orderId,
        userId: event.userId ?? null,
        generationId: event.generationId ?? null,
        outTradeNo,
        amountYuan: (amountFen / 100).toFixed(2),
        packageType: event.packageType ?? null,
        tradeType,
        openid: event.openid ?? '',
        madeSecondsAgo,
      },
    };
  }
}

/** The statement by which a row becomes paid, for those who run it in a transaction of their own. */
export function paidUpdate(outTradeNo: string, transactionId: string): [string, string[]] {
  return [
    "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = ? WHERE out_trade_no = ?",
    [transactionId, localClock(), outTradeNo],
  ];
}

function localClock(): string {
  return new Date(Date.now() + LOCAL_CLOCK_AHEAD_MS).toISOString().slice(0, 19).replace('T', ' ');
}
