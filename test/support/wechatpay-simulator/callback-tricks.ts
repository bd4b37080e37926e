import type { JsonObject } from './fields.ts';
import type { PlatformKeyKind, SimulatorKeys } from './keys.ts';
import { findKey } from './keys.ts';
import { makeNoticeId, noticeHeaders, toNoticeBody } from './notice.ts';
import type { NoticeContent } from './notice.ts';
import { asProbe, signBody } from './signing.ts';

/** What may be wrong with a callback that did not come from WeChat Pay, or not as it should. */
export type CallbackTricks = {
  /** Written over the fields of the resource, before it is encrypted and signed. */
  resource?: JsonObject;
  /** stranger: a real signature, made with a key that is not WeChat Pay's. */
  signature?: 'good' | 'probe' | 'stranger' | 'missing';
  signedBy?: PlatformKeyKind;
  /** The serial that is told, when it is not the one of the key. */
  serial?: string;
  /** How long ago it was signed; negative for a signature from the future. */
  ageMs?: number;
  /** The key its resource is encrypted with, when it is not the merchant's. */
  apiv3Key?: string;
  /** How many bytes of the signed body are missing at the end. */
  bytesCut?: number;
  id?: string;
};

export type Callback = { headers: Record<string, string>; body: Buffer };

/** A callback for a test to post by itself: a good one, but for the tricks. */
export function composeCallback(
  content: NoticeContent,
  from: { keys: SimulatorKeys; nowMs: number },
  tricks: CallbackTricks,
): Callback {
  const { keys, nowMs } = from;
  const whole = toNoticeBody(
    { ...content, resource: { ...content.resource, ...tricks.resource } },
    { id: tricks.id ?? makeNoticeId(nowMs), apiv3Key: tricks.apiv3Key ?? keys.merchant.apiv3Key },
  );
  const key = findKey(keys, tricks.signedBy ?? keys.platform[0].kind);
  if (!key) throw new Error(`this simulator has no ${tricks.signedBy ?? ''} key`);
  const signer = tricks.signature === 'stranger' ? { ...key, privateKey: keys.merchant.privateKey } : key;
  const signed = signBody(whole, { key: signer, atMs: nowMs - (tricks.ageMs ?? 0) });
  const told = tricks.serial === undefined ? signed : { ...signed, 'Wechatpay-Serial': tricks.serial };
  return {
    headers: {
      ...noticeHeaders(),
      ...(tricks.signature === 'missing' ? {} : tricks.signature === 'probe' ? asProbe(told) : told),
    },
    body: whole.subarray(0, whole.length - (tricks.bytesCut ?? 0)),
  };
}
