import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NoticesService } from '../../../src/notices/notices.service.js';
import { keyOf, NoticesBackend } from '../../support/notices-backend.js';

const HOUR_MS = 3_600_000;
const CHANNEL = 'webhook';

let backend: NoticesBackend;

beforeAll(async () => {
  backend = await NoticesBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => {
  backend.answerTo = () => ({ status: 200 });
  backend.aheadMs = 0;
});

async function paid(): Promise<string> {
  const outTradeNo = await backend.pay();
  await backend.distribute();
  return outTradeNo;
}

describe('resend', () => {
  async function failed(): Promise<string> {
    const outTradeNo = await paid();
    backend.answerTo = () => ({ status: 410 });
    await backend.deliver(CHANNEL);
    return outTradeNo;
  }

  it('makes a failed notice due with a day of its own, ends its exception and is audited', async () => {
    const outTradeNo = await failed();
    const { id } = await backend.row(outTradeNo, CHANNEL);
    backend.aheadMs = 30 * HOUR_MS;
    backend.answerTo = () => ({ status: 500 });
    expect(await backend.resend(id)).toBe('reopened');
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'pending', attempts: 1 });
    expect(await backend.exception(outTradeNo, CHANNEL)).toMatchObject({
      status: 'resolved',
      resolved_by: 'operator-of-the-tests',
    });
    backend.answerTo = () => ({ status: 200 });
    await backend.deliverAgain(CHANNEL, outTradeNo);
    const ids = backend.noticesAbout(outTradeNo).map(({ headers }) => headers['x-notice-id']);
    expect(ids).toEqual([keyOf(outTradeNo), keyOf(outTradeNo), keyOf(outTradeNo)]);
    const audit = await backend.database.query('SELECT actor, action FROM audit_logs WHERE target_id = ?', [
      id,
    ]);
    expect(audit).toEqual([{ actor: 'operator-of-the-tests', action: 'notice.resent' }]);
  });

  it('has the effect of one when two operators click at once', async () => {
    const outTradeNo = await failed();
    const { id } = await backend.row(outTradeNo, CHANNEL);
    const outcomes = await Promise.all([backend.resend(id), backend.resend(id), backend.resend(id)]);
    expect(outcomes.sort()).toEqual(['due_already', 'due_already', 'reopened']);
    backend.answerTo = () => ({ status: 200 });
    await backend.deliver(CHANNEL);
    expect(backend.noticesAbout(outTradeNo)).toHaveLength(2);
    const audit = await backend.database.query('SELECT id FROM audit_logs WHERE target_id = ?', [id]);
    expect(audit).toHaveLength(1);
    expect(await backend.resend(id)).toBe('reopened'); // a sent one, too
  });

  it('raises the exception anew when it fails again', async () => {
    const outTradeNo = await failed();
    await backend.resend((await backend.row(outTradeNo, CHANNEL)).id);
    await backend.deliver(CHANNEL);
    expect(await backend.exception(outTradeNo, CHANNEL)).toMatchObject({ status: 'open' });
  });

  it.each(['0', '99999999', '1 OR 1=1', ''])('of an unknown notice is refused: "%s"', async (id) => {
    await expect(backend.resend(id)).rejects.toMatchObject({ code: 'notice_unknown' });
  });

  it('of a fact, of an unwanted notice, or over a channel that is gone is refused', async () => {
    const outTradeNo = await paid();
    await backend.deliver('subscribe_message');
    const fact = await backend.row(outTradeNo);
    await expect(backend.resend(fact.id)).rejects.toMatchObject({ code: 'notice_unknown' });
    const unwanted = await backend.row(outTradeNo, 'subscribe_message');
    await expect(backend.resend(unwanted.id)).rejects.toMatchObject({ code: 'notice_not_resendable' });
    const silent = await backend.startReplica({ NOTICE_WEBHOOK_URL: '', NOTICE_WEBHOOK_SECRET: '' });
    try {
      const { id } = await backend.row(await failed(), CHANNEL);
      const resent = silent.app.get(NoticesService).resend(id, { name: 'operator-of-the-tests' });
      await expect(resent).rejects.toMatchObject({ code: 'notice_not_resendable' });
    } finally {
      await silent.stop();
    }
  });
});
