import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type mysql from 'mysql2/promise';
import { hashToken, newToken, newTokenId } from '../../../src/admin/token-format.ts';
import { startCloudFunctionStandIn } from '../../support/cloud-function-stand-in.ts';
import type { CloudFunctionStandIn } from '../../support/cloud-function-stand-in.ts';
import { compiledRoot } from '../../support/process.ts';
import { until } from '../../support/until.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import { Functions } from './functions.ts';
import { Recorder } from './recorder.ts';
import { Replica } from './replica.ts';
import { USERS } from './plan.ts';
import { query } from './server.ts';
import type { FaultServer } from './server.ts';
import { DB_ERROR_CANARY, personOf, Shop } from './shop.ts';

const DAY_MS = 86_400_000;
/** The first process makes the schema. */
const READY_WITHIN_MS = 120_000;
export const ORDER_WAIT_MINUTES = 1;
/** Lines of a key in PEM, without those that all keys have. */
const KEY_LINES = [5, 9];
const NAMES = ['a', 'b'] as const;

export type WorldOptions = {
  readonly server: FaultServer;
  readonly seed: number;
  /** Everything the run leaves behind is written here. */
  readonly dir: string;
  readonly compiled?: string;
  /** The second replica has a way of its own to the database, which nothing can break, and which costs the driver nothing. */
  readonly isSecondDirect?: boolean;
};

/** Two replicas on a database of their own, beside a WeChat Pay and a refund function, and everybody who talks to them. */
export class World {
  readonly server: FaultServer;
  readonly dir: string;
  readonly databaseName: string;
  readonly appUser: string;
  readonly canaries: readonly string[];
  readonly recorder = new Recorder();
  readonly startedAtMs = Date.now();
  /** The file of the binary log that begins with this run. */
  readonly binlogSince: string;
  readonly root: mysql.Pool;
  readonly functions: Functions;
  readonly simulator: WechatPaySimulator;
  readonly standIn: CloudFunctionStandIn;
  readonly replicas: readonly [Replica, Replica];
  readonly shop: Shop;
  readonly adminToken: string;
  /** What chance chose and this machine cannot do, with the reason. */
  readonly notRun = new Map<string, string>();
  /** What went wrong besides what the checker decides. */
  readonly findings: string[] = [];
  private last: Promise<unknown> = Promise.resolve();

  private constructor(of: Equipment) {
    this.server = of.server;
    this.dir = of.dir;
    this.databaseName = of.databaseName;
    this.appUser = of.appUser;
    this.canaries = of.canaries;
    this.binlogSince = of.binlogSince;
    this.root = of.root;
    this.simulator = of.simulator;
    this.standIn = of.standIn;
    this.replicas = of.replicas;
    this.adminToken = of.adminToken;
    this.functions = new Functions(of.root, this.recorder);
    const { recorder, functions, simulator, replicas } = this;
    const secrets = { internal: of.internalSecret, adminToken: of.adminToken };
    this.shop = new Shop({ recorder, functions, simulator, replicas, secrets });
  }

  static async start(options: WorldOptions): Promise<World> {
    const { server, seed, dir, compiled = await compiledRoot() } = options;
    const databaseName = `wxpay_faults_${process.pid}_${seed}`;
    const admin = server.pool();
    const secrets = newSecrets();
    const binlogSince = await server.beginBinlog(admin);
    await makeDatabase(admin, { databaseName, ...secrets });
    await admin.end();
    const root = server.pool(databaseName);
    const settings = { refundEndsAfterMs: 300, refundGapMs: 0, refundNotifyUrl: null };
    const simulator = await startWechatPaySimulator({ mode: 'public-key', settings, isSelfDriven: true });
    const standIn = await startCloudFunctionStandIn({ wechatpay: simulator });
    // Seeds decide by which way refunds leave.
    const channel = seed % 2 === 0 ? standIn.env : { REFUND_CHANNEL: 'wechatpay' };
    const env = {
      DB_USER: secrets.appUser,
      DB_PASSWORD: secrets.password,
      DB_NAME: databaseName,
      INTERNAL_API_SECRET: secrets.internalSecret,
      NODE_COMPILE_CACHE: join(dir, 'compiled'),
      LOG_LEVEL: 'info',
      ORDER_WAIT_MINUTES: String(ORDER_WAIT_MINUTES),
      ...simulator.env,
      ...channel,
    };
    const [a, b] = await Promise.all(
      NAMES.map((name) =>
        Replica.prepare({
          name,
          isDirect: options.isSecondDirect === true && name !== NAMES[0],
          server: server.address,
          env,
          spoolDir: join(dir, `spool-${name}`),
          compiled,
        }),
      ),
    );
    if (!a || !b) throw new Error('two replicas were prepared');
    const { apiv3Key, privateKeyPem } = simulator.keys.merchant;
    const keyLines = KEY_LINES.map((line) => privateKeyPem.split('\n')[line] ?? '');
    const keys = [apiv3Key, standIn.env.CLOUD_FUNCTION_TOKEN, ...keyLines];
    const canaries = [secrets.internalSecret, secrets.password, secrets.adminToken, DB_ERROR_CANARY, ...keys];
    const openids = Array.from({ length: USERS }, (_, user) => personOf(user).openid);
    const replicas = [a, b] as const;
    const equipment = {
      ...secrets,
      server,
      dir,
      databaseName,
      binlogSince,
      root,
      simulator,
      standIn,
      replicas,
    };
    return new World({ ...equipment, canaries: [...canaries, ...openids] });
  }

  /** Both replicas are up, the schema is there, and the operator has a token. */
  async open(): Promise<void> {
    await this.replicas[0].start();
    await this.untilReady();
    await this.replicas[1].start();
    const row = {
      id: newTokenId(Date.now()),
      name: 'operator-of-the-faults',
      role: 'operator',
      token_hash: hashToken(this.adminToken),
      created_by: 'faults',
      expires_at: new Date(Date.now() + DAY_MS),
    };
    await query(this.root, 'INSERT INTO admin_tokens SET ?', [row]);
  }

  /** One at a time touches the processes of replicas and their way to the database: so one of them always serves. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  find(message: string): void {
    this.findings.push(message);
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()));
    await Promise.all([this.simulator.close(), this.standIn.close()]);
    await query(this.root, `DROP DATABASE IF EXISTS \`${this.databaseName}\``);
    await query(this.root, `DROP USER IF EXISTS ?@'%'`, [this.appUser]);
    await this.root.end();
  }

  private untilReady(): Promise<void> {
    return until(
      async () => {
        const health = await this.replicas[0].health();
        if (health?.status !== 'ready') throw new Error(`not ready: ${JSON.stringify(health)}`);
      },
      { withinMs: READY_WITHIN_MS, everyMs: 50 },
    );
  }
}

type Secrets = {
  readonly appUser: string;
  readonly password: string;
  readonly internalSecret: string;
  readonly adminToken: string;
};

type Equipment = Secrets & {
  readonly server: FaultServer;
  readonly dir: string;
  readonly databaseName: string;
  readonly binlogSince: string;
  readonly root: mysql.Pool;
  readonly simulator: WechatPaySimulator;
  readonly standIn: CloudFunctionStandIn;
  readonly replicas: readonly [Replica, Replica];
  readonly canaries: readonly string[];
};

function newSecrets(): Secrets {
  const random = () => randomBytes(12).toString('hex');
  return {
    appUser: `wxpay_${randomBytes(6).toString('hex')}`,
    password: `canary-pw-${random()}`,
    internalSecret: `canary-secret-${random()}`,
    adminToken: newToken(),
  };
}

/** A user as an application has one: every right on one database, and none of an administrator's. */
async function makeDatabase(
  admin: mysql.Pool,
  { databaseName, appUser, password }: Secrets & { databaseName: string },
): Promise<void> {
  await query(admin, `CREATE DATABASE \`${databaseName}\` CHARACTER SET utf8mb4`);
  await query(admin, `CREATE USER ?@'%' IDENTIFIED BY ?`, [appUser, password]);
  await query(admin, `GRANT ALL PRIVILEGES ON \`${databaseName}\`.* TO ?@'%'`, [appUser]);
}

/** Where the run keeps what it leaves behind. */
export function makeRunDir(base: string, name: string): string {
  const dir = join(base, name);
  // What an earlier run of the name left, because it found something or was cut, is not this one's.
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return dir;
}
