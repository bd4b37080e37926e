import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { databaseVariables } from './lab-database.ts';
import { ADMIN_CLI } from './library.ts';
import { toYuan } from './money.ts';
import type { Target } from './target.ts';
import { Trouble } from './trouble.ts';

const TOKEN_PATTERN = /^wxadm_\S+$/;
const HIRE_DEADLINE_MS = 30_000;
/** A request may wait a moment for WeChat Pay's word on its order. */
const ANSWER_DEADLINE_MS = 10_000;
const REASON = '客户改变主意';

/** What the admin API answered: a refund, or the code of its refusal. */
export type OperatorAnswer = {
  readonly status: number;
  readonly error: string | null;
  readonly refund: { readonly outRefundNo: string; readonly status: string } | null;
};

type RefundWish = { readonly outTradeNo: string; readonly fen: number; readonly key?: string };

/** Somebody who refunds by the admin API, with a token that the command line made. */
export class Operator {
  private readonly baseUrl: string;
  private readonly token: string;

  private constructor(baseUrl: string, token: string) {
    this.baseUrl = baseUrl;
    this.token = token;
  }

  /** @throws Trouble when the command line makes no token */
  static async hire({ baseUrl, db }: Target): Promise<Operator> {
    const args = [ADMIN_CLI, 'token', 'create', '--name', 'simulate', '--role', 'operator'];
    const env = { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...databaseVariables(db) };
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: HIRE_DEADLINE_MS });
    const token = stdout.trim();
    if (!TOKEN_PATTERN.test(token)) throw new Trouble('`npm run admin -- token create` made no token.');
    return new Operator(baseUrl, token);
  }

  /** A new intent each time, unless the key of an earlier one is given. */
  request({ outTradeNo, fen, key = randomUUID() }: RefundWish): Promise<OperatorAnswer> {
    const body = { outTradeNo, amount: toYuan(fen), reason: REASON };
    return this.post('', body, { 'idempotency-key': key });
  }

  retry(outRefundNo: string): Promise<OperatorAnswer> {
    return this.post(`/${outRefundNo}/retry`);
  }

  redirect(outRefundNo: string, card: Readonly<Record<string, string>>): Promise<OperatorAnswer> {
    return this.post(`/${outRefundNo}/redirect`, { type: 'USER_BANK_CARD', ...card });
  }

  private async post(
    path: string,
    body: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<OperatorAnswer> {
    const response = await fetch(`${this.baseUrl}/api/admin/refunds${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}`, ...headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    const answer = (await response.json()) as { error?: string; data?: OperatorAnswer['refund'] };
    return { status: response.status, error: answer.error ?? null, refund: answer.data ?? null };
  }
}
