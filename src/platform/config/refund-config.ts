import type { EnvReader } from './env-reader.js';
import { readEndpoint } from './url-reader.js';

export type CloudFunctionConfig = { readonly url: URL; readonly token: string };

export type RefundConfig = {
  /** Null: refunds cannot be asked for; those made elsewhere are still followed. */
  readonly channel: 'wechatpay' | 'cloud-function' | null;
  readonly cloudFunction: CloudFunctionConfig | null;
};

/** Through which door refunds leave. Without REFUND_CHANNEL the one that is configured, the function first, as the contract has it. */
export function readRefunds(read: EnvReader, about: { isWechatpayConfigured: boolean }): RefundConfig {
  const cloudFunction = readCloudFunction(read);
  const chosen = read.optionalText('REFUND_CHANNEL')
    ? read.oneOf('REFUND_CHANNEL', ['cloud-function', 'wechatpay'], 'cloud-function')
    : null;
  if (chosen === 'cloud-function' && !cloudFunction) {
    read.problems.push(
      'REFUND_CHANNEL is cloud-function: set CLOUD_FUNCTION_URL and CLOUD_FUNCTION_TOKEN, too',
    );
  }
  if (chosen === 'wechatpay' && !about.isWechatpayConfigured) {
    read.problems.push('REFUND_CHANNEL is wechatpay: set the WECHAT_… variables, too');
  }
  const found = cloudFunction ? 'cloud-function' : about.isWechatpayConfigured ? 'wechatpay' : null;
  return { channel: chosen ?? found, cloudFunction };
}

function readCloudFunction(read: EnvReader): CloudFunctionConfig | null {
  const names = ['CLOUD_FUNCTION_URL', 'CLOUD_FUNCTION_TOKEN'];
  if (names.every((name) => read.optionalText(name) === undefined)) return null;
  const url = readEndpoint(read, 'CLOUD_FUNCTION_URL');
  const token = read.text('CLOUD_FUNCTION_TOKEN');
  return url && token ? { url, token } : null;
}
