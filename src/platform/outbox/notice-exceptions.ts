/** The kind of the exceptions about notices that reached nobody. */
export const NOTICE_UNDELIVERABLE = 'notice_undeliverable';

const SUBJECT_LENGTH_MAX = 100;

/** What such an exception is about: one telling of one fact, because each channel fails and is sent again on its own. */
export function noticeSubject(delivery: { readonly id: string; readonly messageKey: string }): string {
  const { id, messageKey } = delivery;
  return messageKey.length <= SUBJECT_LENGTH_MAX ? messageKey : `outbox:${id}`;
}
