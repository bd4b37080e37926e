import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import type { InboxItem } from './inbox.types.js';
import { QuarantineRepository } from './quarantine.repository.js';

export type Release =
  | 'released'
  /** It is being tried already. */
  | 'due_already'
  /** It was applied since. */
  | 'applied_already'
  /** There is no such message any more. */
  | 'gone';

/** Messages that were put before an operator, and how they come back from there. */
@Injectable()
export class QuarantineService {
  constructor(
    private readonly quarantine: QuarantineRepository,
    private readonly exceptions: ExceptionsService,
  ) {}

  /** Has the messages behind an exception tried again, all of the order that are aside for the same reason. */
  async release(
    tx: Tx,
    behind: { outTradeNo: string; kind: string; messageId: string | null },
  ): Promise<Release> {
    const messages = await this.quarantine.lock(tx, behind);
    const ids = messages.filter(({ status }) => status !== 'handled').map(({ id }) => id);
    if (ids.length > 0) {
      await this.quarantine.release(tx, ids);
      return messages.some(({ status }) => status === 'quarantined') ? 'released' : 'due_already';
    }
    return messages.length > 0 ? 'applied_already' : 'gone';
  }

  /** What these messages of the order waited for has come by another road. */
  async retry(tx: Tx, outTradeNo: string, kinds: readonly string[]): Promise<void> {
    await this.quarantine.retry(tx, outTradeNo, kinds);
  }

  /** A message that was aside is applied now: the exception about it is over, unless another one waits behind it. */
  async end(tx: Tx, { id, outTradeNo, quarantinedAs }: InboxItem): Promise<void> {
    if (!quarantinedAs) return;
    if (await this.quarantine.hasOther(tx, { id, outTradeNo, kind: quarantinedAs })) return;
    await this.exceptions.resolveAll(tx, {
      kinds: [quarantinedAs],
      subject: outTradeNo,
      by: 'system:inbox',
      resolution: 'its message was applied',
    });
  }
}
