import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseAvailability } from '../../../src/platform/database/database-availability.js';
import type { StandInAnswer } from '../../support/http-stand-in.js';
import { isSignedRight, keyOf, NoticesBackend } from '../../support/notices-backend.js';
import { until } from '../../support/until.ts';

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

describe('a notice to the webhook', () => {
  it('is posted once, signed over its timestamp and its very bytes, and says what was paid', async () => {
    const outTradeNo = await paid();
    await backend.deliver(CHANNEL);
    await backend.distribute();
    await backend.deliver(CHANNEL);
    const notices = backend.noticesAbout(outTradeNo);
    expect(notices).toHaveLength(1);
    const [notice] = notices;
    if (!notice) throw new Error('there must be one');
    expect(isSignedRight(notice)).toBe(true);
    expect(isSignedRight(notice, 'another-secret')).toBe(false);
    expect(Math.abs(Number(notice.headers['x-notice-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    expect(notice.headers['content-type']).toBe('application/json');
    expect(notice.url).toBe('/notices?key=canary-url-key');
    expect(JSON.parse(notice.body)).toMatchObject({
      id: `payment_succeeded:${outTradeNo}`,
      type: 'payment_succeeded',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      data: {
        outTradeNo,
        userId: `user-${outTradeNo}`,
        packageType: 'premium',
        amountFen: 2990,
        paidAt: expect.stringMatching(/Z$/) as string,
      },
    });
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent', last_error: null });
    expect(await backend.row(outTradeNo)).toMatchObject({ status: 'distributed' });
  });

  // A receiver tells repeats by the id and refuses old timestamps: one must stay, the other must not.
  it('is sent again with the same id and body and a timestamp of its own, later each time', async () => {
    const outTradeNo = await paid();
    backend.answerTo = () => ({ status: 503 });
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({
      status: 'pending',
      attempts: 1,
      last_error: 'The receiver answered 503.',
    });
    expect((await backend.row(outTradeNo, CHANNEL)).due_in_s).toBeGreaterThan(1);
    await backend.deliver(CHANNEL);
    expect(backend.noticesAbout(outTradeNo)).toHaveLength(1); // it is not due yet
    backend.aheadMs = 20_000;
    for (let tries = 0; tries < 3; tries += 1) await backend.deliverAgain(CHANNEL, outTradeNo);
    expect((await backend.row(outTradeNo, CHANNEL)).due_in_s).toBeGreaterThan(15);
    backend.answerTo = () => ({ status: 204 });
    await backend.deliverAgain(CHANNEL, outTradeNo);
    const notices = backend.noticesAbout(outTradeNo);
    expect(notices).toHaveLength(5);
    expect(new Set(notices.map(({ body }) => body)).size).toBe(1);
    const timestamps = notices.map(({ headers }) => Number(headers['x-notice-timestamp']));
    expect((timestamps[4] ?? 0) - (timestamps[0] ?? 0)).toBeGreaterThanOrEqual(19);
    expect(notices.every((notice) => isSignedRight(notice))).toBe(true);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
    expect(await backend.exception(outTradeNo, CHANNEL)).toBeUndefined();
  });

  // Without an end a dead receiver would be called for ever; without an exception nobody would know.
  it('is given up when 24 hours are over, and an operator sees why', async () => {
    const outTradeNo = await paid();
    backend.answerTo = () => ({ status: 500 });
    await backend.deliver(CHANNEL);
    backend.aheadMs = 24 * HOUR_MS - 60_000;
    await backend.deliverAgain(CHANNEL, outTradeNo);
    const last = await backend.row(outTradeNo, CHANNEL);
    expect(last).toMatchObject({ status: 'pending' });
    expect(last.due_in_s).toBeLessThanOrEqual(60); // the last try is when the time is over, not after
    backend.aheadMs = 24 * HOUR_MS + 1_000;
    await backend.deliverAgain(CHANNEL, outTradeNo);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(await backend.exception(outTradeNo, CHANNEL)).toMatchObject({
      status: 'open',
      reason: 'Not delivered within 24 hours. The receiver answered 500.',
    });
    await backend.deliverAgain(CHANNEL, outTradeNo);
    expect(backend.noticesAbout(outTradeNo)).toHaveLength(3);
  });

  it('is given up at once by 410', async () => {
    const outTradeNo = await paid();
    backend.answerTo = () => ({ status: 410 });
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'failed' });
    expect((await backend.exception(outTradeNo, CHANNEL))?.reason).toContain('410');
  });

  // A redirect would carry the notice to an address that nobody configured.
  it('follows no redirect', async () => {
    const outTradeNo = await paid();
    const location = `${backend.miniProgram.standIn.url}/elsewhere`;
    backend.answerTo = () => ({ status: 307, headers: { Location: location } });
    const elsewhere = backend.miniProgram.standIn.requests.length;
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'pending', attempts: 1 });
    expect((await backend.row(outTradeNo, CHANNEL)).last_error).toContain('307');
    expect(backend.miniProgram.standIn.requests).toHaveLength(elsewhere);
  });

  it.each<[string, StandInAnswer, string]>([
    ['a large body', { status: 200, body: 'x'.repeat(1_000_000) }, 'sent'],
    ['a body that never ends', { status: 201, isEndless: true }, 'sent'],
    ['a refusal with a large body', { status: 500, body: 'x'.repeat(1_000_000) }, 'pending'],
    ['a cut connection', 'reset', 'pending'],
  ])('is judged by the status alone: %s', async (_what, answer, status) => {
    const outTradeNo = await paid();
    backend.answerTo = () => answer;
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status });
  });

  // A network error of a receiver must never be taken for one of the database: that would send every message to the spool.
  it('to a receiver that is not there says so, and the database stays available', async () => {
    const elsewhere = await backend.startReplica({ NOTICE_WEBHOOK_URL: 'http://127.0.0.1:1/' });
    try {
      const outTradeNo = await paid();
      await backend.deliver(CHANNEL, elsewhere);
      expect((await backend.row(outTradeNo, CHANNEL)).last_error).toContain('ECONNREFUSED');
      expect(elsewhere.app.get(DatabaseAvailability).isAvailable).toBe(true);
    } finally {
      await elsewhere.stop();
    }
  });

  // An open transaction during a call to somebody else's server keeps a connection and locks for as long as it likes.
  it('is sent while no transaction is open and its row is not locked', async () => {
    let found: unknown[] | null = null;
    backend.answerTo = async () => {
      found = await backend.database.query(
        `SELECT trx_id FROM information_schema.innodb_trx JOIN information_schema.processlist p ON p.id = trx_mysql_thread_id
          WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`,
      );
      await backend.database.query('SELECT id FROM outbox_messages FOR UPDATE NOWAIT');
      return { status: 200 };
    };
    const outTradeNo = await paid();
    await backend.deliver(CHANNEL);
    expect(found).toEqual([]);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
  });

  it('that hangs is cut at the deadline, and holds back no other', async () => {
    const hanging = await backend.pay('openid-of-a-hanging-one');
    backend.answerTo = ({ body }) => (body.includes(hanging) ? 'hang' : { status: 200 });
    const others = [await backend.pay(), await backend.pay()];
    await backend.distribute();
    const startedMs = performance.now();
    const lanes = Promise.all([backend.deliver(CHANNEL), backend.deliver(CHANNEL)]);
    await until(
      async () => {
        for (const outTradeNo of others)
          expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
      },
      { withinMs: 4_000, everyMs: 20 },
    );
    await backend.deliver('subscribe_message');
    expect(await backend.row(hanging, 'subscribe_message')).toMatchObject({ status: 'sent' });
    expect(performance.now() - startedMs).toBeLessThan(4_500);
    await lanes;
    expect(performance.now() - startedMs).toBeLessThan(7_500);
    expect(await backend.row(hanging, CHANNEL)).toMatchObject({ status: 'pending', attempts: 1 });
    expect((await backend.row(hanging, CHANNEL)).last_error).toContain('did not answer in time');
  });
});

describe('several senders', () => {
  it('on two replicas send each notice once', async () => {
    const replica = await backend.startReplica();
    try {
      const orders: string[] = [];
      for (let n = 0; n < 30; n += 1) orders.push(await backend.pay());
      await Promise.all([backend.distribute(), backend.distribute(replica)]);
      await Promise.all(
        [backend.application, replica, backend.application, replica].map((application) =>
          backend.deliver(CHANNEL, application),
        ),
      );
      const counts = orders.map((outTradeNo) => backend.noticesAbout(outTradeNo).length);
      expect(counts).toEqual(orders.map(() => 1));
    } finally {
      await replica.stop();
    }
  });

  // At least once: a sender that died between the answer and its row must not lose the notice, nor count it twice.
  it('send a notice again, with the same id, when the first died before it settled', async () => {
    const outTradeNo = await paid();
    backend.answerTo = async () => {
      // As a death would leave it: the claim runs out, and somebody else claims.
      await backend.database.query(
        'UPDATE outbox_messages SET claims = claims + 1, available_at = NOW(3) WHERE message_key = ? AND claims = 1',
        [keyOf(outTradeNo, CHANNEL)],
      );
      return { status: 200 };
    };
    await backend.deliver(CHANNEL);
    const notices = backend.noticesAbout(outTradeNo);
    expect(notices.map(({ headers }) => headers['x-notice-id'])).toEqual([
      keyOf(outTradeNo),
      keyOf(outTradeNo),
    ]);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent', claims: 3 });
  });

  it('hide what is being sent for longer than sending may take', async () => {
    const outTradeNo = await paid();
    let dueInSeconds = 0;
    backend.answerTo = async () => {
      dueInSeconds = (await backend.row(outTradeNo, CHANNEL)).due_in_s;
      return { status: 200 };
    };
    await backend.deliver(CHANNEL);
    expect(dueInSeconds).toBeGreaterThan(20);
    expect(dueInSeconds).toBeLessThanOrEqual(30);
  });
});
