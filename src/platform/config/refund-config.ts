import type { EnvReader } from './env-reader.js';

export type CloudFunctionConfig = { readonly url: string; readonly token: string };

export type RefundConfig = {
  /** Null: refunds cannot be asked for; those made elsewhere are still followed. */
  readonly channel: 'wechatpay' | 'cloud-function' | null;
  readonly cloudFunction: CloudFunctionConfig | null;
};

const LOOPBACK_HOST_PATTERN = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

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
  const url = read.optionalText('CLOUD_FUNCTION_URL');
  const token = read.optionalText('CLOUD_FUNCTION_TOKEN');
  if (!url && !token) return null;
  if (!url) read.problems.push('CLOUD_FUNCTION_URL is not set, but CLOUD_FUNCTION_TOKEN is');
  if (!token) read.problems.push('CLOUD_FUNCTION_TOKEN is not set, but CLOUD_FUNCTION_URL is');
  if (!url || !token) return null;
  if (isAllowed(url)) return { url, token };
  read.problems.push(
    'CLOUD_FUNCTION_URL must be an https:// address without a user or a fragment (http only on this machine)',
  );
  return null;
}

function isAllowed(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || `${url.username}${url.password}${url.hash}` !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK_HOST_PATTERN.test(url.hostname));
}
