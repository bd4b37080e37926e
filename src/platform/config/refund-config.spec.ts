import { describe, expect, it } from 'vitest';
import { EnvReader } from './env-reader.js';
import { readRefunds } from './refund-config.js';

const FUNCTION = { CLOUD_FUNCTION_URL: 'https://shop.example.com/f', CLOUD_FUNCTION_TOKEN: 'a-token' };

function read(env: Record<string, string>, isWechatpayConfigured = false) {
  const reader = new EnvReader(env);
  return { refunds: readRefunds(reader, { isWechatpayConfigured }), problems: reader.problems };
}

describe('readRefunds', () => {
  it.each([
    ['nothing is configured', {}, false, null],
    ['the function is', FUNCTION, false, 'cloud-function'],
    ['WeChat Pay is', {}, true, 'wechatpay'],
    ['both are', FUNCTION, true, 'cloud-function'],
    ['both are and WeChat Pay is chosen', { ...FUNCTION, REFUND_CHANNEL: 'wechatpay' }, true, 'wechatpay'],
  ])('when %s, chooses a channel that is there', (_name, env, isConfigured, channel) => {
    const { refunds, problems } = read(env, isConfigured);
    expect(refunds.channel).toBe(channel);
    expect(problems).toEqual([]);
  });

  // Found at the first refund, a missing variable would leave it in the air.
  it.each([
    ['REFUND_CHANNEL', { REFUND_CHANNEL: 'cash' }],
    ['CLOUD_FUNCTION_URL', { REFUND_CHANNEL: 'cloud-function' }],
    ['WECHAT_', { REFUND_CHANNEL: 'wechatpay' }],
    ['CLOUD_FUNCTION_TOKEN', { CLOUD_FUNCTION_URL: FUNCTION.CLOUD_FUNCTION_URL }],
    ['CLOUD_FUNCTION_URL', { CLOUD_FUNCTION_TOKEN: 'a-token' }],
    ['CLOUD_FUNCTION_URL', { ...FUNCTION, CLOUD_FUNCTION_URL: 'http://shop.example.com/f' }],
  ])('names %s at the start', (name, env) => {
    expect(read(env).problems.join('\n')).toContain(name);
  });
});
