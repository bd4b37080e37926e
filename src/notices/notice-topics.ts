/** Which channels tell which facts. A fact of a new kind is one line here. */
const CHANNELS_BY_TOPIC = {
  payment_succeeded: ['webhook', 'subscribe_message'],
  payment_refunded: ['webhook'],
} as const satisfies Record<string, readonly NoticeChannel[]>;

export type NoticeChannel = 'webhook' | 'subscribe_message';

export function topicsOf(channel: NoticeChannel): string[] {
  const tellers = Object.entries<readonly NoticeChannel[]>(CHANNELS_BY_TOPIC);
  return tellers.filter(([, channels]) => channels.includes(channel)).map(([topic]) => topic);
}
