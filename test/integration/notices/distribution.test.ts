import { afterEach, describe, expect, it } from 'vitest';
import { OutboxDistributionService } from '../../../src/platform/outbox/outbox-distribution.service.js';
import { keyOf, NoticesBackend } from '../../support/notices-backend.js';
import { readOrder } from '../../support/payments.js';

const HOUR_MS = 3_600_000;
const NO_WEBHOOK = { NOTICE_WEBHOOK_URL: '', NOTICE_WEBHOOK_SECRET: '' };
const NO_MESSAGES = {
  WECHAT_APPID: '',
  WECHAT_APP_SECRET: '',
  WECHAT_SUBSCRIBE_TEMPLATE_ID: '',
  WECHAT_SUBSCRIBE_DATA: '',
};

let backend: NoticesBackend;

afterEach(() => backend.stop());

const statuses = () =>
  backend.database.query('SELECT message_key, status FROM outbox_messages ORDER BY message_key');

describe('a staged fact', () => {
  it('becomes one row for each configured channel, which fail and succeed apart', async () => {
    backend = await NoticesBackend.start();
    const outTradeNo = await backend.pay('openid-of-the-distribution');
    await Promise.all([backend.distribute(), backend.distribute(), backend.distribute()]);
    backend.answerTo = () => ({ status: 500 });
    await backend.deliver('webhook');
    await backend.deliver('subscribe_message');
    expect(await statuses()).toEqual([
      { message_key: keyOf(outTradeNo), status: 'distributed' },
      { message_key: keyOf(outTradeNo, 'subscribe_message'), status: 'sent' },
      { message_key: keyOf(outTradeNo, 'webhook'), status: 'pending' },
    ]);
    await backend.deliverAgain('webhook', outTradeNo);
    expect(backend.miniProgram.messages).toHaveLength(1);
  });

  // Months of history would otherwise go out in one burst on the day somebody sets up a webhook.
  it('is put aside while no channel is configured, and a channel set up later does not tell it', async () => {
    backend = await NoticesBackend.start({ env: { ...NO_WEBHOOK, ...NO_MESSAGES } });
    const outTradeNo = await backend.pay('openid-of-the-distribution');
    await backend.distribute();
    expect(await statuses()).toEqual([{ message_key: keyOf(outTradeNo), status: 'unwanted' }]);
    const later = await backend.startReplica();
    try {
      await backend.distribute(later);
      await backend.deliver('webhook', later);
    } finally {
      await later.stop();
    }
    expect(backend.receiver.requests).toEqual([]);
    expect(await statuses()).toHaveLength(1);
  });

  // The version before this one staged facts and told none; nor did a worker that was away for days.
  it('of more than a day ago is put aside, too', async () => {
    backend = await NoticesBackend.start();
    const outTradeNo = await backend.pay();
    await backend.database.query(
      'UPDATE outbox_messages SET created_at = NOW(3) - INTERVAL 25 HOUR, available_at = created_at',
    );
    await backend.distribute();
    expect(await statuses()).toEqual([{ message_key: keyOf(outTradeNo), status: 'unwanted' }]);
  });

  // During a rolling upgrade a newer replica stages what an older one has never heard of.
  it('of an unknown topic is left to a replica that knows it', async () => {
    backend = await NoticesBackend.start();
    await backend.database.query(
      "INSERT INTO outbox_messages (topic, message_key, payload) VALUES ('moon_landed', 'moon_landed:1', '{}')",
    );
    await backend.distribute();
    const rows = await backend.database.query<{ status: string; wait: string }>(
      'SELECT status, TIMESTAMPDIFF(SECOND, NOW(3), available_at) AS wait FROM outbox_messages',
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.status).toBe('pending');
    expect(Number(rows[0]?.wait)).toBeGreaterThan(30);
  });

  it('whose channel was taken out of the configuration is put aside after a day', async () => {
    backend = await NoticesBackend.start();
    const outTradeNo = await backend.pay('openid-of-the-distribution');
    await backend.distribute();
    const silent = await backend.startReplica(NO_WEBHOOK);
    try {
      const giveUp = () => silent.app.get(OutboxDistributionService).giveUpUnserved();
      await giveUp();
      expect(await backend.row(outTradeNo, 'webhook')).toMatchObject({ status: 'pending' });
      await backend.database.query('UPDATE outbox_messages SET available_at = NOW(3) - INTERVAL 25 HOUR');
      await giveUp();
      expect(await backend.row(outTradeNo, 'webhook')).toMatchObject({ status: 'unwanted' });
      expect(await backend.row(outTradeNo, 'subscribe_message')).toMatchObject({ status: 'pending' });
    } finally {
      await silent.stop();
    }
  });
});

describe('notices', () => {
  // A grant that waited for somebody else's server would be no grant.
  it('neither delay nor undo a grant, whatever their receivers do', async () => {
    backend = await NoticesBackend.start({ env: { ROLE: 'all' } });
    backend.answerTo = () => 'hang';
    backend.miniProgram.tokenAnswer = 'hang';
    const startedMs = performance.now();
    const orders: string[] = [];
    for (let n = 0; n < 12; n += 1) orders.push(await backend.pay(`openid-of-a-hanging-${n}`));
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    for (const outTradeNo of orders) {
      expect((await readOrder(backend.database, outTradeNo)).grants).toHaveLength(1);
    }
  });

  // A claim that reads the whole table each second would grow with the shop.
  it('that are due are found by an index that does not grow with those that are done', async () => {
    backend = await NoticesBackend.start();
    const outTradeNo = await backend.pay();
    await backend.distribute();
    for (let n = 0; n < 11; n += 1) {
      await backend.database.query(
        `INSERT INTO outbox_messages (topic, channel, message_key, payload, status)
         SELECT topic, 'webhook', UUID(), payload, 'sent' FROM outbox_messages`,
      );
    }
    const connection = await backend.database.connect();
    try {
      await connection.query('ANALYZE TABLE outbox_messages');
      await connection.query('FLUSH STATUS');
      await connection.query(
        `SELECT id, topic, channel, message_key, payload, attempts, claims, wanted_since, created_at FROM outbox_messages
          WHERE status = 'pending' AND channel = 'webhook' AND available_at <= NOW(3)
          ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
      );
      const [rows] = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
      const read = (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
      expect(read).toBeLessThan(10);
    } finally {
      await connection.end();
    }
    await backend.deliver('webhook');
    expect(await backend.row(outTradeNo, 'webhook')).toMatchObject({ status: 'sent' });
  });
});

describe('the twenty-four hours', () => {
  it('count from the fact, not from its distribution', async () => {
    backend = await NoticesBackend.start();
    const outTradeNo = await backend.pay();
    await backend.database.query('UPDATE outbox_messages SET created_at = NOW(3) - INTERVAL 23 HOUR');
    await backend.distribute();
    backend.answerTo = () => ({ status: 500 });
    await backend.deliver('webhook');
    expect(await backend.row(outTradeNo, 'webhook')).toMatchObject({ status: 'pending' });
    backend.aheadMs = HOUR_MS + 1_000;
    await backend.deliverAgain('webhook', outTradeNo);
    expect(await backend.row(outTradeNo, 'webhook')).toMatchObject({ status: 'failed' });
  });
});
