import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.js';
import { makeKeys } from '../../support/wechatpay-simulator/keys.js';
import type { SimulatorKeys } from '../../support/wechatpay-simulator/keys.js';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import { PluginClient } from './plugin-client.js';
import type { Reply } from './plugin-client.js';

const NOW_MS = Date.parse('2026-01-27T20:00:00+08:00');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DAY = '2026-01-27';
const NEXT_DAY = '2026-01-28';

const [published] = JSON.parse(
  readFileSync(new URL('../../../src/wechatpay/published-vectors.json', import.meta.url), 'utf8'),
).bill_csv;

let keys: SimulatorKeys;
let simulator: WechatPaySimulator;
let client: PluginClient;

beforeAll(async () => {
  keys = await makeKeys('public-key', NOW_MS);
});

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS });
  simulator = await startWechatPaySimulator({
    mode: 'public-key',
    keys,
    clock: SimulatorClock.heldAt(NOW_MS),
    settings: {
      refundNotifyUrl: null,
      notice: { copies: 0, delayMs: 0, probeFirst: false, hasOwnIds: false },
    },
  });
  client = new PluginClient(simulator);
});

afterEach(async () => {
  vi.useRealTimers();
  await simulator.close();
});

const apply = (date: string, params: object = {}) =>
  client.get('/v3/bill/tradebill', { params: { bill_date: date, ...params } });
const applyForFunds = (date: string, params: object = {}) =>
  client.get('/v3/bill/fundflowbill', { params: { bill_date: date, account_type: 'BASIC', ...params } });

async function download(url: string) {
  const params = Object.fromEntries(new URL(url).searchParams);
  return client.get('/v3/billdownload/file', { params, responseType: 'arraybuffer' });
}

/** @returns the lines of a bill, whose hash was checked before */
async function linesOf(reply: Reply): Promise<string[]> {
  const file = Buffer.from((await download(reply.data.download_url)).data);
  expect(createHash('sha1').update(file).digest('hex')).toBe(reply.data.hash_value);
  expect(file.subarray(0, 3).toString('hex')).toBe('efbbbf');
  const lines = file.toString('utf8').slice(1).split('\r\n');
  expect(lines.at(-1)).toBe('');
  return lines.slice(0, -1);
}

const fieldsOf = (row: string | undefined) => (row ?? '').slice(1).split(',`');

/** @returns for each field how many decimals it has, and null for what is no amount */
const decimalsOf = (row: string | undefined) =>
  fieldsOf(row).map((field) => /^-?\d+\.(\d+)%?$/.exec(field)?.[1]?.length ?? null);

/** @returns the row as the titles name its fields */
function asRecord(titles: string | undefined, row: string | undefined): Record<string, string | undefined> {
  const fields = fieldsOf(row);
  return Object.fromEntries((titles ?? '').split(',').map((title, index) => [title, fields[index]]));
}

/** 20:00 paid, the next day refunded in part; and one payment more on that day. */
async function doBusiness(): Promise<void> {
  simulator.placeOrder({
    outTradeNo: 'order-0001',
    totalFen: 2990,
    description: 'Card, large\nblue',
    attach: 'a,b',
  });
  simulator.customerPays('order-0001', { couponFen: 90 });
  await simulator.advance(6 * HOUR_MS);
  simulator.placeOrder({ outTradeNo: 'order-0002', totalFen: 1, tradeType: 'NATIVE' });
  simulator.customerPays('order-0002');
  await simulator.advance(MINUTE_MS);
  simulator.merchantRefunds({ outTradeNo: 'order-0001', outRefundNo: 'refund-1', refundFen: 1000 });
}

describe('a trade bill', () => {
  it('has the titles, the marks and the line ends of the published one', async () => {
    await doBusiness();
    await simulator.advance(2 * DAY_MS);
    const lines = await linesOf(await apply(NEXT_DAY));
    expect(lines[0]).toBe(published.detail_header);
    expect(lines[3]).toBe(published.summary_header);
    expect(decimalsOf(lines[1])).toEqual(decimalsOf(published.first_refund_row));
    expect(decimalsOf(lines[2])).toEqual(decimalsOf(published.first_success_row));
    // How many a sum has depends on the sum; a count is written like one, too.
    expect(fieldsOf(lines[4])[0]).toBe('2.0');
    expect(fieldsOf(lines[4])).toHaveLength(fieldsOf(published.summary_row).length);
    expect(lines).toHaveLength(5);
  });

  it('has a payment on the day it succeeded and a refund on the day it was accepted', async () => {
    await doBusiness();
    await simulator.advance(2 * DAY_MS);
    const first = await linesOf(await apply(DAY));
    expect(first).toHaveLength(4);
    expect(asRecord(first[0], first[1])).toMatchObject({
      交易时间: '2026-01-27 20:00:00',
      微信订单号: simulator.ledger.getOrder('order-0001').payment?.transactionId,
      商户订单号: 'order-0001',
      交易状态: 'SUCCESS',
      应结订单金额: '29.90',
      代金券金额: '0.90',
      微信退款单号: '0',
      退款金额: '0.00',
      商品名称: 'Card, large\\nblue',
      商户数据包: 'a,b',
      手续费: '0.18000',
      费率: '0.60%',
    });
    expect(first[3]).toBe('`1.0,`29.9,`0.0,`0.0,`0.18,`29.9,`0.0');
    const second = await linesOf(await apply(NEXT_DAY));
    expect(asRecord(second[0], second[1])).toMatchObject({
      交易时间: '2026-01-28 02:01:00',
      商户订单号: 'order-0001',
      交易状态: 'REFUND',
      应结订单金额: '0.00',
      商户退款单号: 'refund-1',
      退款金额: '10.00',
      充值券退款金额: '0.30',
      退款类型: 'ORIGINAL',
      退款状态: 'SUCCESS',
      手续费: '-0.06000',
    });
    expect(second[4]).toBe('`2.0,`0.01,`10.0,`0.3,`-0.06,`0.01,`10.0');
  });

  it('comes as SUCCESS and REFUND, and with the titles of before', async () => {
    await doBusiness();
    await simulator.advance(2 * DAY_MS);
    const success = await linesOf(await apply(NEXT_DAY, { bill_type: 'SUCCESS' }));
    expect(success[0]?.split(',')).toHaveLength(20);
    expect(success).toHaveLength(4);
    expect(fieldsOf(success[3])).toEqual(['1.0', '0.01', '0.0', '0.01']);
    const refunds = await linesOf(await apply(NEXT_DAY, { bill_type: 'REFUND' }));
    expect(refunds[0]?.split(',')).toHaveLength(29);
    expect(asRecord(refunds[0], refunds[1])).toMatchObject({
      交易时间: '2026-01-27 20:00:00',
      退款申请时间: '2026-01-28 02:01:00',
      退款成功时间: '2026-01-28 02:06:00',
    });
    simulator.settings.billTitles = 'old';
    const old = await linesOf(await apply(NEXT_DAY));
    expect(old[0]?.split(',')).toHaveLength(24);
    expect(asRecord(old[0], old[2])).toMatchObject({ 总金额: '0.01', 企业红包金额: '0.00' });
    expect(old[3]).toBe('总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额');
  });

  it('keeps the status of the morning it was written', async () => {
    simulator.settings.refundEndsAfterMs = 3 * DAY_MS;
    await doBusiness();
    await simulator.advance(4 * DAY_MS);
    const lines = await linesOf(await apply(NEXT_DAY));
    expect(asRecord(lines[0], lines[1])).toMatchObject({ 退款状态: 'PROCESSING' });
  });

  it('is there from ten in the morning, for three months, and only when there is something in it', async () => {
    await doBusiness();
    expect((await apply(NEXT_DAY)).code).toBe('INVALID_REQUEST');
    expect((await apply(DAY)).code).toBe('STATEMENT_CREATING');
    await simulator.advance(8 * HOUR_MS - 2 * MINUTE_MS);
    expect((await apply(DAY)).code).toBe('STATEMENT_CREATING');
    await simulator.advance(MINUTE_MS);
    expect((await apply(DAY)).status).toBe(200);
    expect(await apply('2026-01-26')).toMatchObject({ status: 400, code: 'NO_STATEMENT_EXIST' });
    expect((await apply(DAY, { bill_type: 'REFUND' })).code).toBe('NO_STATEMENT_EXIST');
    expect((await apply('2026-02-30')).code).toBe('PARAM_ERROR');
    expect((await apply(DAY, { bill_type: 'SOME' })).code).toBe('PARAM_ERROR');
    await simulator.advance(100 * DAY_MS);
    expect((await apply(DAY)).code).toBe('INVALID_REQUEST');
  });

  it('can be packed, is hashed unpacked, and is handed out for seconds only', async () => {
    await doBusiness();
    await simulator.advance(DAY_MS);
    const plain = (await apply(DAY)).data;
    const packed = (await apply(DAY, { tar_type: 'GZIP' })).data;
    expect(packed.hash_value).toBe(plain.hash_value);
    const file = gunzipSync(Buffer.from((await download(packed.download_url)).data));
    expect(createHash('sha1').update(file).digest('hex')).toBe(plain.hash_value);
    const { status, headers } = await download(plain.download_url);
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('wechatpay-signature');
    expect(headers).not.toHaveProperty('content-encoding');
    await simulator.advance(29_999);
    expect((await download(plain.download_url)).status).toBe(200);
    await simulator.advance(1);
    expect((await download(plain.download_url)).status).toBe(400);
    expect((await download(`${simulator.baseUrl}/v3/billdownload/file?token=other`)).status).toBe(400);
  });

  it('can be offered at the host that production names', async () => {
    simulator.settings.billOrigin = 'https://api.mch.weixin.qq.com';
    await doBusiness();
    await simulator.advance(DAY_MS);
    const { data } = await apply(DAY);
    expect(data.download_url).toMatch(/^https:\/\/api\.mch\.weixin\.qq\.com\/v3\/billdownload\/file\?token=/);
    expect((await download(data.download_url)).status).toBe(200);
  });
});

describe('a fund flow bill', () => {
  it('balances payments, fees, refunds and what came back of them', async () => {
    await doBusiness();
    simulator.endRefund('refund-1', 'CLOSED');
    await simulator.advance(2 * DAY_MS);
    const lines = await linesOf(await applyForFunds(NEXT_DAY));
    const rows = lines.slice(1, -2).map((line) => asRecord(lines[0], line));
    expect(
      rows.map((row) => [row['业务类型'], row['收支类型'], row['收支金额(元)'], row['账户结余(元)']]),
    ).toEqual([
      ['交易', '收入', '0.01', '29.73'],
      ['退款', '支出', '9.94', '19.79'],
      ['退款失败返还', '收入', '9.94', '29.73'],
    ]);
    expect(lines.at(-1)).toBe('`3.0,`2.0,`9.95,`1.0,`9.94');
    expect((await applyForFunds(NEXT_DAY, { account_type: 'FEES' })).code).toBe('NO_STATEMENT_EXIST');
  });
});
