import { randomBytes } from 'node:crypto';
import { toDateDigits, toRfc3339 } from './beijing-time.ts';
import type { JsonObject } from './fields.ts';
import { randomDigits } from './keys.ts';
import type { RefundEnd } from './ledger.ts';
import { encryptResource } from './signing.ts';

export type EventType = 'TRANSACTION.SUCCESS' | `REFUND.${RefundEnd}`;

/** What a notice says, before it is encrypted. */
export type NoticeContent = {
  readonly eventType: EventType;
  /** The order's number for a payment, the refund's for a refund. */
  readonly subject: string;
  readonly resource: JsonObject;
  readonly createdAtMs: number;
};

const SUMMARIES: Record<EventType, string> = {
  'TRANSACTION.SUCCESS': '支付成功',
  'REFUND.SUCCESS': '退款成功',
  'REFUND.CLOSED': '退款关闭',
  'REFUND.ABNORMAL': '退款异常',
};

const ID_LENGTH = 32;

export function makeNoticeId(nowMs: number): string {
  const start = `EV-${toDateDigits(nowMs)}`;
  return start + randomDigits(ID_LENGTH - start.length);
}

/** The body of a notice, with its resource encrypted. */
export function toNoticeBody(content: NoticeContent, by: { id: string; apiv3Key: string }): Buffer {
  const original = content.eventType === 'TRANSACTION.SUCCESS' ? 'transaction' : 'refund';
  const resource = encryptResource(JSON.stringify(content.resource), {
    apiv3Key: by.apiv3Key,
    associatedData: original,
  });
  const body = {
    id: by.id,
    create_time: toRfc3339(content.createdAtMs),
    resource_type: 'encrypt-resource',
    event_type: content.eventType,
    summary: SUMMARIES[content.eventType],
    resource: { original_type: original, ...resource },
  };
  return Buffer.from(JSON.stringify(body), 'utf8');
}

/** The headers of a notice besides those of its signature. */
export function noticeHeaders(): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    Accept: '*/*',
    'User-Agent': 'Mozilla/4.0',
    'Request-ID': makeRequestId(0),
  };
}

export function makeRequestId(internal: number): string {
  return `08${randomBytes(16).toString('hex').toUpperCase()}-${internal}`;
}
