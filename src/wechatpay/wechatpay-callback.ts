import type { KeyObject } from 'node:crypto';
import { AnswerReader, UnexpectedContent } from './answer-reader.js';
import { decryptResource } from './callback-resource.js';
import { readNotifiedRefund, readOrder } from './wechatpay-answers.js';
import type { Merchant } from './wechatpay-answers.js';
import { checkSignature } from './wechatpay-signature.js';
import type { SignatureTrust, SignatureVerdict } from './wechatpay-signature.js';
import { WechatpayCallbackRefused } from './wechatpay.types.js';
import type { ReceivedCallback, WechatpayNotification } from './wechatpay.types.js';

const REFUND_EVENTS = ['REFUND.SUCCESS', 'REFUND.ABNORMAL', 'REFUND.CLOSED'] as const;

const WORDS_BY_VERDICT: Record<Exclude<SignatureVerdict, 'valid'>, string> = {
  headers_missing: 'The signature headers are missing or malformed.',
  expired: 'The signature is five minutes old or older.',
  unknown_serial: 'The signature was made with a key that is not configured here.',
  bad_signature: 'The signature does not match the body.',
};

export type CallbackTrust = SignatureTrust & { readonly merchant: Merchant; readonly apiV3Key: KeyObject };

/**
 * Proves that a callback comes from WeChat Pay, and only then decrypts and reads it. Signature probes
 * (`WECHATPAY/SIGNTEST/…`) need no case of their own: their signature does not match.
 * @throws WechatpayCallbackRefused the message must have no effect
 */
export function openCallback(received: ReceivedCallback, trust: CallbackTrust): WechatpayNotification {
  const verdict = checkSignature(received, trust);
  if (verdict !== 'valid') throw new WechatpayCallbackRefused(verdict, WORDS_BY_VERDICT[verdict]);
  try {
    return readNotification(AnswerReader.ofJson(received.rawBody), trust);
  } catch (error) {
    if (error instanceof UnexpectedContent) {
      throw new WechatpayCallbackRefused('unreadable', `The message cannot be used: ${error.message}.`);
    }
    throw error;
  }
}

function readNotification(envelope: AnswerReader, trust: CallbackTrust): WechatpayNotification {
  const id = envelope.text('id');
  const eventType = envelope.text('event_type');
  const isRefund = REFUND_EVENTS.some((event) => event === eventType);
  if (!isRefund && eventType !== 'TRANSACTION.SUCCESS') {
    throw new WechatpayCallbackRefused('unsupported_event', 'Only payments and refunds are received here.');
  }
  const encrypted = envelope.child('resource');
  encrypted.same('original_type', isRefund ? 'refund' : 'transaction');
  const resource = AnswerReader.ofJson(decryptResource(encrypted, trust.apiV3Key));
  refuseOtherMerchant(resource, trust.merchant, isRefund);
  if (isRefund) {
    const refund = readNotifiedRefund(resource, trust.merchant);
    if (eventType !== `REFUND.${refund.status}`)
      throw resource.unexpected('refund_status', 'that of the event');
    return { kind: 'refund', id, refund };
  }
  const order = readOrder(resource, trust.merchant);
  if (order.state !== 'paid') throw resource.unexpected('trade_state', 'that of a payment');
  return { kind: 'payment', id, order };
}

/** Told apart from other oddities, because it means that two merchants or apps share one callback address. */
function refuseOtherMerchant(resource: AnswerReader, merchant: Merchant, isRefund: boolean): void {
  const isOurs =
    resource.text('mchid') === merchant.mchid && (isRefund || resource.text('appid') === merchant.appid);
  if (!isOurs) {
    throw new WechatpayCallbackRefused('wrong_merchant', 'The message is for another merchant or app.');
  }
}
