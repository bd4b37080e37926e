import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloudFunctionStandIn } from '../../test/support/cloud-function-stand-in.ts';
import type { CloudFunctionStandIn } from '../../test/support/cloud-function-stand-in.ts';
import { startWechatPaySimulator } from '../../test/support/wechatpay-simulator/simulator.ts';
import type { Settings } from '../../test/support/wechatpay-simulator/settings.ts';
import type { PayByCustomer, WechatPaySimulator } from '../../test/support/wechatpay-simulator/simulator.ts';
import type { BackendApi } from './backend-api.ts';
import { startBackendProcess } from './backend-process.ts';
import { Database } from './database.ts';
import type { DatabaseAddress } from './database.ts';
import type { CallbackHabits, OrderEvent, OrderHabits, PlacedOrder } from './function-habits.ts';
import { createLabDatabase, databaseVariables } from './lab-database.ts';
import { LabParts } from './lab-parts.ts';
import { Operator } from './operator.ts';
import type { Expectation, Payment } from './order-book.ts';
import type { Target } from './target.ts';
import { findDifferences } from './wechat-ledger.ts';
import { StoryFailed, World } from './world.ts';

/** What a set of stories needs of its lab. */
export type LabOptions = {
  /** In the name of its log. */
  readonly name: string;
  /** Variables of the backend besides those of its database and of WeChat Pay. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the deployed refund function is there as well; the backend refunds by way of it unless `env` says otherwise. */
  readonly hasCloudFunction?: boolean;
  /** How this WeChat Pay differs from others. */
  readonly wechatpay?: Partial<Settings>;
};

export type LabStory = {
  readonly name: string;
  readonly about: string;
  /** @returns what happened, in a few words @throws StoryFailed when it did not end as it must */
  readonly run: (lab: Lab) => Promise<string>;
};

/** Stories that share one lab, which is started when the first of them is played. */
export type LabSet = {
  readonly title: string;
  readonly stories: readonly LabStory[];
  readonly options: LabOptions;
};

type Equipment = {
  readonly simulator: WechatPaySimulator;
  readonly cloudFunction: CloudFunctionStandIn | null;
  readonly parts: LabParts;
};

const SECRET_BYTES = 24;

/**
 * A backend of its own that is configured for a WeChat Pay of its own, on a database of its own. The simulator
 * runs in this process, by the real clock, and its ledger is the truth that the tables are held against.
 */
export class Lab {
  readonly world: World;
  readonly target: Target;
  readonly simulator: WechatPaySimulator;
  readonly cloudFunction: CloudFunctionStandIn | null;
  /** Orders whose `paid_at` a cloud function wrote by its own clock. */
  readonly timedByFunction = new Set<string>();
  /** Orders whose row states another amount than WeChat Pay, which only an operator can resolve. */
  readonly disputed = new Set<string>();
  private readonly parts: LabParts;
  private hired: Promise<Operator> | null = null;

  private constructor(of: Equipment & { world: World; target: Target }) {
    this.world = of.world;
    this.target = of.target;
    this.simulator = of.simulator;
    this.cloudFunction = of.cloudFunction;
    this.parts = of.parts;
  }

  /** @throws LabUnavailable when this is not the place for one, Trouble when its backend does not start */
  static async start(
    beside: DatabaseAddress,
    { seed, name, env, hasCloudFunction, wechatpay }: LabOptions & { readonly seed: number },
  ): Promise<Lab> {
    const parts = new LabParts();
    try {
      const db = await createLabDatabase(beside, parts);
      const database = new Database(db);
      parts.add({ stop: () => database.close() });
      const simulator = await startSimulator(parts, wechatpay);
      const cloudFunction = hasCloudFunction
        ? await startCloudFunction({ simulator, database, parts })
        : null;
      const secret = randomBytes(SECRET_BYTES).toString('hex');
      const variables = {
        ...databaseVariables(db),
        INTERNAL_API_SECRET: secret,
        SPOOL_DIR: makeSpoolDir(parts),
        ...simulator.env,
        ...cloudFunction?.env,
        ...env,
      };
      const target = { baseUrl: await startBackendProcess(variables, { parts, labName: name }), secret, db };
      simulator.settings.notifyUrl = `${target.baseUrl}/api/payment/callback`;
      simulator.settings.refundNotifyUrl = `${target.baseUrl}/api/payment/refund-callback`;
      const world = await World.open(target, {
        database,
        seed,
        prepay: (order) => prepay(simulator, order),
      });
      return new Lab({ world, target, simulator, cloudFunction, parts });
    } catch (error) {
      await parts.endAll();
      throw error;
    }
  }

  get database(): Database {
    return this.world.database;
  }

  get api(): BackendApi {
    return this.world.api;
  }

  /** Somebody at the admin API. */
  operator(): Promise<Operator> {
    return (this.hired ??= Operator.hire(this.target));
  }

  stop(): Promise<void> {
    return this.parts.endAll();
  }

  order(event: OrderEvent, habits?: OrderHabits): Promise<PlacedOrder> {
    return this.world.order(event, habits);
  }

  /** A customer of the tables orders a package. */
  async orderPackage(
    packageType: 'basic' | 'premium',
    habits?: OrderHabits,
  ): Promise<{ order: PlacedOrder; userId: string }> {
    const person = await this.world.knownPerson();
    const event = { packageType, userId: person.id, openid: person.openid };
    return { order: await this.order(event, habits), userId: person.id };
  }

  /** The customer pays at WeChat Pay, whose notice of it comes as the options say; by default it is lost. */
  pay({ outTradeNo }: PlacedOrder, options: PayByCustomer = {}): Payment {
    const order = this.simulator.customerPays(outTradeNo, { notice: { copies: 0 }, ...options });
    if (!order.payment) throw new Error(`${outTradeNo} was paid and has no payment`);
    const { transactionId, openid } = order.payment;
    const payment = { outTradeNo, transactionId, amountFen: order.totalFen, payerOpenid: openid };
    this.world.book.get(outTradeNo).payment = payment;
    return payment;
  }

  /** The deployed callback function hears of a payment. */
  async callFunction(payment: Payment, habits?: CallbackHabits): Promise<void> {
    if (!habits?.writeFails) this.timedByFunction.add(payment.outTradeNo);
    await this.world.functions.wxpayOrderCallback(payment, habits);
  }

  promise(order: PlacedOrder, expected: Expectation): PlacedOrder {
    return this.world.promise(order, expected);
  }

  /** Waits until the tables say what was promised, and holds them against WeChat Pay's ledger then. */
  async untilKept(orders: readonly PlacedOrder[], withinMs = this.world.patienceMs): Promise<void> {
    await this.world.untilKept(orders, withinMs);
    const differences = await findDifferences(
      this,
      orders.map(({ outTradeNo }) => outTradeNo),
    );
    if (differences.length > 0) {
      throw new StoryFailed(
        ['not as at WeChat Pay', ...differences.map(({ subject, what }) => `${subject}: ${what}`)].join('\n'),
      );
    }
  }

  /** As if the pauses between the questions about these orders had passed. */
  async askAgain(orders: readonly PlacedOrder[]): Promise<void> {
    await this.database.run('UPDATE order_queries SET due_at = UTC_TIMESTAMP(3) WHERE out_trade_no IN (?)', [
      orders.map(({ outTradeNo }) => outTradeNo),
    ]);
  }
}

/**
 * A merchant in the days of a switch: WeChat Pay signs with a certificate and with a public key by turns. It takes no fee,
 * so that the account is what was paid less what went back.
 */
async function startSimulator(parts: LabParts, changes: Partial<Settings> = {}): Promise<WechatPaySimulator> {
  const settings = { feeBasisPoints: 0, ...changes };
  const simulator = await startWechatPaySimulator({ mode: 'switching', isSelfDriven: true, settings });
  parts.add({ stop: () => simulator.close() });
  return simulator;
}

/** As deployed: the table refuses the rows of its refunds. */
async function startCloudFunction(of: {
  simulator: WechatPaySimulator;
  database: Database;
  parts: LabParts;
}): Promise<CloudFunctionStandIn> {
  const { simulator, database, parts } = of;
  const standIn = await startCloudFunctionStandIn({
    wechatpay: simulator,
    rows: { shape: 'as-deployed', query: (sql, values) => database.run(sql, values) },
  });
  parts.add({ stop: () => standIn.close() });
  return standIn;
}

function prepay(
  simulator: WechatPaySimulator,
  { tradeType, ...order }: { outTradeNo: string; totalFen: number; tradeType: string; openid?: string },
): void {
  simulator.placeOrder({ ...order, tradeType: tradeType === 'NATIVE' ? 'NATIVE' : 'JSAPI' });
}

function makeSpoolDir(parts: LabParts): string {
  const dir = mkdtempSync(join(tmpdir(), 'wxpay-simulate-'));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  parts.add({ stop: remove, kill: remove });
  return dir;
}
