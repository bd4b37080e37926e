import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EnvReader } from './env-reader.js';
import type { Env } from './env-reader.js';
import { readNotices } from './notices-config.js';
import type { NoticesConfig } from './notices-config.js';
import { readWechatpay } from './wechatpay-config.js';

const WEBHOOK = {
  NOTICE_WEBHOOK_URL: 'https://shop.example/notices?key=1',
  NOTICE_WEBHOOK_SECRET: 'CANARY-a-secret-of-this-test',
};
const MESSAGES = {
  WECHAT_APPID: 'wx1234567890abcdef',
  WECHAT_APP_SECRET: 'CANARY-app-secret',
  WECHAT_SUBSCRIBE_TEMPLATE_ID: 'Tmpl_0123-456789',
  WECHAT_SUBSCRIBE_DATA: '{"character_string1":"{outTradeNo}","amount2":"¥{amountYuan}","time3":"{paidAt}"}',
};

function read(env: Env): { config: NoticesConfig; problems: string[] } {
  const reader = new EnvReader(env);
  return { config: readNotices(reader), problems: reader.problems };
}

describe('readNotices', () => {
  it('uses no channel when nothing is set, and each alone', () => {
    expect(read({})).toEqual({ config: { webhook: null, subscribeMessage: null }, problems: [] });
    expect(read(WEBHOOK).config).toMatchObject({ webhook: {}, subscribeMessage: null });
    expect(read(MESSAGES).config).toMatchObject({ webhook: null, subscribeMessage: {} });
    expect(read({ ...WEBHOOK, ...MESSAGES }).problems).toEqual([]);
  });

  it('keeps what was given, and knows the address of WeChat', () => {
    const { subscribeMessage } = read({
      ...MESSAGES,
      WECHAT_SUBSCRIBE_PAGE: 'pages/order/list?tab=paid',
    }).config;
    expect(subscribeMessage).toMatchObject({
      appid: 'wx1234567890abcdef',
      templateId: 'Tmpl_0123-456789',
      page: 'pages/order/list?tab=paid',
      apiBaseUrl: 'https://api.weixin.qq.com',
      fields: [
        { name: 'character_string1', kind: 'character_string', text: '{outTradeNo}' },
        { name: 'amount2', kind: 'amount', text: '¥{amountYuan}' },
        { name: 'time3', kind: 'time', text: '{paidAt}' },
      ],
    });
  });

  // The appid alone belongs to the payment channel; with the app's secret it may be there for messages only.
  it('needs no merchant keys, and the payment channel no secret of the app', () => {
    const reader = new EnvReader(MESSAGES);
    expect(readWechatpay(reader)).toBeNull();
    expect(reader.problems).toEqual([]);
    expect(read({ WECHAT_APPID: 'wx1234567890abcdef' }).problems).toEqual([]);
  });

  it.each([
    ['a webhook without its secret', 'NOTICE_WEBHOOK_SECRET', { ...WEBHOOK, NOTICE_WEBHOOK_SECRET: '' }],
    ['a secret without its webhook', 'NOTICE_WEBHOOK_URL', { ...WEBHOOK, NOTICE_WEBHOOK_URL: '' }],
    ['a short secret', 'NOTICE_WEBHOOK_SECRET', { ...WEBHOOK, NOTICE_WEBHOOK_SECRET: 'CANARY' }],
    [
      'a secret out of an example',
      'NOTICE_WEBHOOK_SECRET',
      { ...WEBHOOK, NOTICE_WEBHOOK_SECRET: 'your_internal_secret_key_here' },
    ],
    ['plain http', 'NOTICE_WEBHOOK_URL', { ...WEBHOOK, NOTICE_WEBHOOK_URL: 'http://shop.example/CANARY' }],
    ['no address', 'NOTICE_WEBHOOK_URL', { ...WEBHOOK, NOTICE_WEBHOOK_URL: 'CANARY' }],
    [
      'credentials in the address',
      'NOTICE_WEBHOOK_URL',
      { ...WEBHOOK, NOTICE_WEBHOOK_URL: 'https://u:CANARY@shop.example' },
    ],
    ['messages without an appid', 'WECHAT_APPID', { ...MESSAGES, WECHAT_APPID: '' }],
    ['messages without a secret', 'WECHAT_APP_SECRET', { ...MESSAGES, WECHAT_APP_SECRET: '' }],
    [
      'messages without a template',
      'WECHAT_SUBSCRIBE_TEMPLATE_ID',
      { ...MESSAGES, WECHAT_SUBSCRIBE_TEMPLATE_ID: '' },
    ],
    ['a template that is none', 'TEMPLATE_ID', { ...MESSAGES, WECHAT_SUBSCRIBE_TEMPLATE_ID: 'CANARY 模板' }],
    ['messages without data', 'WECHAT_SUBSCRIBE_DATA', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '' }],
    ['data that is no JSON', 'WECHAT_SUBSCRIBE_DATA', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{CANARY' }],
    ['a list', 'WECHAT_SUBSCRIBE_DATA', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '["CANARY"]' }],
    ['no field', 'WECHAT_SUBSCRIBE_DATA', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{}' }],
    ['an unknown kind', 'WECHAT_SUBSCRIBE_DATA', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{"canary1":"x"}' }],
    ['a number for a text', 'thing1', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{"thing1":7}' }],
    ['an unknown placeholder', 'thing1', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{"thing1":"{openid}"}' }],
    ['a brace left over', 'thing1', { ...MESSAGES, WECHAT_SUBSCRIBE_DATA: '{"thing1":"{paidAt"}' }],
    [
      'a page of a web site',
      'WECHAT_SUBSCRIBE_PAGE',
      { ...MESSAGES, WECHAT_SUBSCRIBE_PAGE: 'https://CANARY' },
    ],
    [
      'a strange address',
      'WECHAT_MP_API_BASE_URL',
      { ...MESSAGES, WECHAT_MP_API_BASE_URL: 'http://CANARY.example' },
    ],
  ])('refuses %s, naming %s and repeating nothing', (_what, name, env) => {
    const { problems } = read(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain('CANARY');
  });

  it.each(['http://127.0.0.1:9000/notices', 'http://localhost/', 'https://shop.example:8443/a?b=c'])(
    'accepts the address %s',
    (url) => {
      expect(read({ ...WEBHOOK, NOTICE_WEBHOOK_URL: url }).config.webhook?.url.href).toBe(url);
    },
  );

  it('shows no secret when the configuration itself is printed', () => {
    const { config } = read({ ...WEBHOOK, ...MESSAGES });
    const shown = `${inspect(config, { depth: 10, showHidden: true })}${JSON.stringify(config)}`;
    expect(shown).toContain('wx1234567890abcdef');
    expect(shown).not.toContain('CANARY');
  });
});
