import { Injectable } from '@nestjs/common';
import type { OutboxChannel } from './outbox.types.js';

/** The column's width, less what separates it from the key of the fact. */
const CHANNEL_NAME_PATTERN = /^[a-z_]{1,20}$/;

/** Which channels tell which facts. Features register theirs when their module starts. */
@Injectable()
export class OutboxChannels {
  private readonly byName = new Map<string, OutboxChannel>();

  register(channel: OutboxChannel): void {
    const { name } = channel;
    if (!CHANNEL_NAME_PATTERN.test(name)) throw new Error(`${name} cannot be the name of a channel`);
    if (this.byName.has(name)) throw new Error(`the channel ${name} is there already`);
    this.byName.set(name, channel);
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  get configured(): OutboxChannel[] {
    return [...this.byName.values()].filter(({ isConfigured }) => isConfigured);
  }

  get unconfigured(): OutboxChannel[] {
    return [...this.byName.values()].filter(({ isConfigured }) => !isConfigured);
  }

  find(name: string): OutboxChannel | null {
    return this.byName.get(name) ?? null;
  }

  /** The channels a fact is to be told over; null for a topic that no channel here knows. */
  wantedFor(topic: string): string[] | null {
    const tellers = [...this.byName.values()].filter(({ topics }) => topics.includes(topic));
    if (tellers.length === 0) return null;
    return tellers.filter(({ isConfigured }) => isConfigured).map(({ name }) => name);
  }
}
