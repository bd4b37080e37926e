import { parseArgs } from 'node:util';
import { Trouble } from './trouble.ts';

export type Options = {
  readonly help: boolean;
  readonly only: readonly string[];
  readonly seed: number;
  readonly orders: number;
  readonly withoutWechatpay: boolean;
};

const ORDERS_DEFAULT = 200;
const ORDERS_MAX = 100_000;
const SEED_MAX = 2 ** 32 - 1;

/** @throws Trouble saying which option is wrong */
export function readOptions(args: readonly string[]): Options {
  const given = parse(args);
  return {
    help: given.help ?? false,
    only: (given.only ?? []).flatMap((names) => names.split(',')),
    seed:
      given.seed === undefined ? Date.now() % (SEED_MAX + 1) : wholeNumber('--seed', given.seed, SEED_MAX),
    orders: given.orders === undefined ? ORDERS_DEFAULT : wholeNumber('--orders', given.orders, ORDERS_MAX),
    withoutWechatpay: given['without-wechatpay'] ?? false,
  };
}

type Given = {
  help?: boolean;
  only?: string[];
  seed?: string;
  orders?: string;
  'without-wechatpay'?: boolean;
};

function parse(args: readonly string[]): Given {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        only: { type: 'string', multiple: true },
        seed: { type: 'string' },
        orders: { type: 'string' },
        'without-wechatpay': { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new Trouble(
      `${error instanceof Error ? error.message : String(error)}\nSee npm run simulate -- --help`,
    );
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value) || value > max) throw new Trouble(`${name} must be a whole number up to ${max}.`);
  return value;
}
