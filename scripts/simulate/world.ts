import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendApi } from './backend-api.ts';
import { CloudFunctions } from './cloud-functions.ts';
import type { Database } from './database.ts';
import { readFacts } from './facts.ts';
import type { OrderFacts } from './facts.ts';
import type { CallbackHabits, OrderEvent, OrderHabits, PlacedOrder, Prepay } from './function-habits.ts';
import { Identities } from './identities.ts';
import { judge } from './judgement.ts';
import { toFen } from './money.ts';
import { OrderBook } from './order-book.ts';
import type { Expectation, OrderTruth, Package, PostPath } from './order-book.ts';
import { Random } from '../../test/support/random.ts';
import type { Target } from './target.ts';

export type Person = { readonly id: string; readonly openid: string };

type Run = { readonly database: Database; readonly seed: number; readonly prepay?: Prepay };

/** What is granted within 10 s at worst is seen within this. */
const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 100;
const COMPLAINTS_SHOWN_MAX = 5;

/** A story did not end as it must; the message says how. */
export class StoryFailed extends Error {}

/** One run: customers, WeChat Pay and the warm functions around the backend and the shared database. */
export class World {
  readonly random: Random;
  readonly database: Database;
  readonly ids: Identities;
  readonly book = new OrderBook();
  readonly api: BackendApi;
  readonly prepay: Prepay | undefined;
  readonly functions: CloudFunctions;
  readonly pricesFen: Readonly<Record<Package, number>>;
  /** The story that orders made now belong to. */
  story = '';
  /** A crowd waits for its own backlog as well, and says so here. */
  patienceMs = PATIENCE_MS;
  /** `regenerate_count` less the ledger, of users who were there before this run. */
  readonly openingCredits = new Map<string, number>();

  private constructor(target: Target, run: Run & { pricesFen: Record<Package, number> }) {
    this.random = new Random(run.seed);
    this.ids = new Identities(new Random(run.seed ^ Date.now()));
    this.database = run.database;
    this.pricesFen = run.pricesFen;
    this.api = new BackendApi(target, this.book);
    this.prepay = run.prepay;
    this.functions = new CloudFunctions(this);
  }

  static async open(target: Target, run: Run): Promise<World> {
    const { basic = 0, premium = 0 } = await new BackendApi(target, new OrderBook()).currentPrices();
    return new World(target, { ...run, pricesFen: { basic: toFen(basic), premium: toFen(premium) } });
  }

  /** A customer whom the functions have in `users`. */
  async knownPerson(): Promise<Person> {
    const person = this.stranger();
    await this.database.run("INSERT INTO users (id, openid, payment_status) VALUES (?, ?, 'free')", [
      person.id,
      person.openid,
    ]);
    return person;
  }

  /** A customer nobody has in a table yet. */
  stranger(): Person {
    return { id: this.ids.userId(), openid: this.ids.openid() };
  }

  /** A custom amount that is nobody's price. */
  oddAmountFen(): number {
    const isPrice = (fen: number) => fen === this.pricesFen.basic || fen === this.pricesFen.premium;
    return [1234, 1235, 1236].find((fen) => !isPrice(fen)) ?? 1234;
  }

  order(event: OrderEvent, habits?: OrderHabits): Promise<PlacedOrder> {
    return this.functions.wxpayOrder(event, this.story, habits);
  }

  /** The customer pays; WeChat Pay knows it from here on, and tells nobody yet. */
  take(order: PlacedOrder, payerOpenid: string | null): NonNullable<OrderTruth['payment']> {
    const payment = {
      outTradeNo: order.outTradeNo,
      transactionId: this.ids.transactionId(),
      amountFen: order.amountFen,
      payerOpenid,
    };
    this.book.get(order.outTradeNo).payment = payment;
    return payment;
  }

  /** The customer pays and WeChat Pay calls the callback. */
  async pay(order: PlacedOrder, payerOpenid: string | null, habits?: CallbackHabits): Promise<void> {
    await this.functions.wxpayOrderCallback(this.take(order, payerOpenid), habits);
  }

  /** Sends what was posted about an order again, `copies` times and all at once. */
  async replay(order: PlacedOrder, path: PostPath, copies: number): Promise<void> {
    const posts = this.book.get(order.outTradeNo).posts.filter((post) => post.path === path);
    await Promise.all(posts.flatMap((post) => Array.from({ length: copies }, () => this.api.post(post))));
  }

  promise(order: PlacedOrder, expected: Expectation): PlacedOrder {
    this.book.get(order.outTradeNo).expected = expected;
    return order;
  }

  /** Waits until the tables say about these orders what was promised. */
  async untilKept(orders: readonly PlacedOrder[], withinMs = this.patienceMs): Promise<void> {
    await this.untilAllKept(
      orders.map(({ outTradeNo }) => this.book.get(outTradeNo)),
      withinMs,
    );
  }

  async untilAllKept(truths: readonly OrderTruth[], withinMs: number): Promise<void> {
    let open = truths;
    await this.until(withinMs, async () => {
      const facts = await this.facts(open);
      const broken = open.map((truth) => ({ truth, complaints: judge(truth, get(facts, truth)) }));
      open = broken.filter(({ complaints }) => complaints.length > 0).map(({ truth }) => truth);
      return broken.flatMap(({ truth, complaints }) =>
        complaints.map((complaint) => `${truth.outTradeNo}: ${complaint}`),
      );
    });
  }

  /** Looks again and again until nothing is complained about; @returns how long that took */
  async until(withinMs: number, look: () => Promise<string[]>): Promise<number> {
    const startedMs = performance.now();
    for (;;) {
      const complaints = await look();
      const passedMs = performance.now() - startedMs;
      if (complaints.length === 0) return passedMs;
      if (passedMs > withinMs)
        throw new StoryFailed(`${summary(complaints, passedMs)}${await this.backlog()}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Tells a slow backend from a wrong one. */
  private async backlog(): Promise<string> {
    const [due] = await this.database.rows<{ messages: string | number }>(
      "SELECT COUNT(*) AS messages FROM inbox_messages WHERE status = 'pending' AND available_at <= UTC_TIMESTAMP(3)",
    );
    const messages = Number(due?.messages ?? 0);
    return messages > 0 ? `\n(${messages} messages are due in inbox_messages: the backend is behind)` : '';
  }

  async factsOf({ outTradeNo }: PlacedOrder): Promise<OrderFacts> {
    const truth = this.book.get(outTradeNo);
    return get(await this.facts([truth]), truth);
  }

  facts(truths: readonly OrderTruth[]): Promise<Map<string, OrderFacts>> {
    return readFacts(
      this.database,
      truths.map(({ outTradeNo }) => outTradeNo),
    );
  }
}

function get(facts: Map<string, OrderFacts>, { outTradeNo }: OrderTruth): OrderFacts {
  const found = facts.get(outTradeNo);
  if (!found) throw new Error(`nothing was read about ${outTradeNo}`);
  return found;
}

function summary(complaints: readonly string[], passedMs: number): string {
  const shown = complaints.slice(0, COMPLAINTS_SHOWN_MAX);
  const rest = complaints.length - shown.length;
  const more = rest > 0 ? [`and ${rest} more`] : [];
  return [`not as promised after ${Math.round(passedMs / 1000)} s`, ...shown, ...more].join('\n');
}
