import { paramError } from './api-error.ts';
import type { Bills } from './bills.ts';
import { parseJson } from './fields.ts';
import type { JsonObject } from './fields.ts';
import type { PlatformKey } from './keys.ts';
import type { Orders } from './orders.ts';
import type { Refunds } from './refunds.ts';

export type RouteName =
  | 'prepay-jsapi'
  | 'prepay-native'
  | 'query-by-out-trade-no'
  | 'query-by-transaction-id'
  | 'close'
  | 'refund-create'
  | 'refund-query'
  | 'refund-abnormal'
  | 'trade-bill'
  | 'fund-flow-bill'
  | 'bill-download';

export type Call = {
  /** The part of the path that is an id; empty where there is none. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** The key the request named in Wechatpay-Serial, when it is known: sensitive fields are encrypted with it. */
  readonly namedKey: PlatformKey | null;
};

/** What a request brings about: a JSON body, a file, or nothing but success. */
export type Outcome = { json: JsonObject } | { file: Buffer } | 'no content';

export type Route = {
  readonly name: RouteName;
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly handle: (call: Call) => Outcome;
};

export type Match = { route: Route; id: string };

type Services = { orders: Orders; refunds: Refunds; bills: Bills };

export function makeRoutes(services: Services): Route[] {
  return [...orderRoutes(services), ...refundRoutes(services), ...billRoutes(services)];
}

/** @throws ApiError when an id in the path is not properly encoded */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match | null {
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(path) : null;
    if (match) return { route, id: decode(match[1] ?? '') };
  }
  return null;
}

function orderRoutes({ orders }: Services): Route[] {
  const prepay = (tradeType: 'JSAPI' | 'NATIVE') => (call: Call) => ({
    json: orders.prepay(tradeType, parseJson(call.body)),
  });
  return [
    {
      name: 'prepay-jsapi',
      method: 'POST',
      path: /^\/v3\/pay\/transactions\/jsapi$/,
      handle: prepay('JSAPI'),
    },
    {
      name: 'prepay-native',
      method: 'POST',
      path: /^\/v3\/pay\/transactions\/native$/,
      handle: prepay('NATIVE'),
    },
    {
      name: 'query-by-out-trade-no',
      method: 'GET',
      path: /^\/v3\/pay\/transactions\/out-trade-no\/([^/]+)$/,
      handle: ({ id, query }) => ({ json: orders.queryByOutTradeNo(id, query.get('mchid')) }),
    },
    {
      name: 'query-by-transaction-id',
      method: 'GET',
      path: /^\/v3\/pay\/transactions\/id\/([^/]+)$/,
      handle: ({ id, query }) => ({ json: orders.queryByTransactionId(id, query.get('mchid')) }),
    },
    {
      name: 'close',
      method: 'POST',
      path: /^\/v3\/pay\/transactions\/out-trade-no\/([^/]+)\/close$/,
      handle: ({ id, body }) => {
        orders.close(id, parseJson(body));
        return 'no content';
      },
    },
  ];
}

function refundRoutes({ refunds }: Services): Route[] {
  return [
    {
      name: 'refund-create',
      method: 'POST',
      path: /^\/v3\/refund\/domestic\/refunds$/,
      handle: ({ body }) => ({ json: refunds.create(parseJson(body)) }),
    },
    {
      name: 'refund-query',
      method: 'GET',
      path: /^\/v3\/refund\/domestic\/refunds\/([^/]+)$/,
      handle: ({ id }) => ({ json: refunds.query(id) }),
    },
    {
      name: 'refund-abnormal',
      method: 'POST',
      path: /^\/v3\/refund\/domestic\/refunds\/([^/]+)\/apply-abnormal-refund$/,
      handle: ({ id, body, namedKey }) => ({ json: refunds.applyAbnormal(id, parseJson(body), namedKey) }),
    },
  ];
}

function billRoutes({ bills }: Services): Route[] {
  return [
    {
      name: 'trade-bill',
      method: 'GET',
      path: /^\/v3\/bill\/tradebill$/,
      handle: ({ query }) => ({ json: bills.applyForTrades(query) }),
    },
    {
      name: 'fund-flow-bill',
      method: 'GET',
      path: /^\/v3\/bill\/fundflowbill$/,
      handle: ({ query }) => ({ json: bills.applyForFundFlow(query) }),
    },
    {
      name: 'bill-download',
      method: 'GET',
      path: /^\/v3\/billdownload\/file$/,
      handle: ({ query }) => ({ file: bills.download(query) }),
    },
  ];
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw paramError('路径参数编码错误', { location: 'uri_template' });
  }
}
