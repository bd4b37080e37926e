import { Injectable } from '@nestjs/common';
import type { InboxHandler, InboxSetHandler } from './inbox.types.js';

/** Which function applies which topic. Features register theirs at boot. */
@Injectable()
export class InboxHandlers {
  private readonly byTopic = new Map<string, InboxHandler>();
  private readonly setsByTopic = new Map<string, InboxSetHandler>();

  /** @param applyTogether for topics of which many messages come at once */
  register(topic: string, handler: InboxHandler, applyTogether?: InboxSetHandler): void {
    if (this.byTopic.has(topic)) throw new Error(`the topic ${topic} has a handler already`);
    this.byTopic.set(topic, handler);
    if (applyTogether) this.setsByTopic.set(topic, applyTogether);
  }

  get(topic: string): InboxHandler {
    const handler = this.byTopic.get(topic);
    // During a rolling upgrade a newer replica may store topics that this one does not know; it retries later.
    if (!handler) throw new Error(`no handler for messages about ${topic}`);
    return handler;
  }

  findForSet(topic: string): InboxSetHandler | undefined {
    return this.setsByTopic.get(topic);
  }
}
