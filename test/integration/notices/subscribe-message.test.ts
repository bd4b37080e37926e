import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StandInAnswer } from '../../support/http-stand-in.js';
import { ACCESS_TOKEN, APP_SECRET, NoticesBackend } from '../../support/notices-backend.js';

const HOUR_MS = 3_600_000;
const CHANNEL = 'subscribe_message';

let backend: NoticesBackend;
let openids = 0;

beforeAll(async () => {
  backend = await NoticesBackend.start();
});
afterAll(() => backend.stop());
beforeEach(async () => {
  backend.aheadMs = 0;
  backend.miniProgram.answers.length = 0;
  backend.miniProgram.tokenAnswer = null;
  // What an earlier test left waiting is none of this one's.
  await backend.database.query('DELETE FROM outbox_messages');
});

/** A user of the mini program who has paid. */
async function paid(): Promise<{ outTradeNo: string; openid: string }> {
  openids += 1;
  const openid = `oPayer${String(openids).padStart(22, '0')}`;
  const outTradeNo = await backend.pay(openid);
  await backend.distribute();
  return { outTradeNo, openid };
}

describe('a subscribe message', () => {
  it('goes to the payer’s openid with the configured fields, by a token that is asked for once', async () => {
    const first = await paid();
    const second = await paid();
    await backend.deliver(CHANNEL);
    const { messages, tokenRequests } = backend.miniProgram;
    expect(messages).toHaveLength(2);
    expect(messages[0]?.token).toBe(`${ACCESS_TOKEN}-1`);
    expect(messages[0]?.body).toEqual({
      touser: first.openid,
      template_id: 'template-of-the-tests',
      data: {
        character_string1: { value: first.outTradeNo },
        amount2: { value: '¥29.90' },
        time3: { value: expect.stringMatching(/^\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d$/) as string },
        thing4: { value: '尊享包' },
      },
    });
    expect(messages[1]?.body.touser).toBe(second.openid);
    expect(tokenRequests).toHaveLength(1);
    expect(JSON.parse(tokenRequests[0]?.body ?? '')).toEqual({
      grant_type: 'client_credential',
      appid: 'wx1234567890abcdef',
      secret: APP_SECRET,
    });
    expect(await backend.row(first.outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
  });

  it('is not wanted by a user without an openid', async () => {
    const outTradeNo = await backend.pay(null);
    await backend.distribute();
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'unwanted' });
    expect(await backend.exception(outTradeNo, CHANNEL)).toBeUndefined();
  });

  // The openid of a message is read at the last moment: nothing of it stays in the outbox.
  it('leaves no openid in the outbox', async () => {
    const { openid } = await paid();
    await backend.deliver(CHANNEL);
    const rows = await backend.database.query('SELECT * FROM outbox_messages');
    expect(JSON.stringify(rows)).not.toContain(openid);
  });

  it('that the user did not consent to is over, without an exception', async () => {
    const { outTradeNo, openid } = await paid();
    backend.miniProgram.answers.push({ errcode: 43101, errmsg: 'user refuse to accept the msg' });
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'unwanted' });
    expect(await backend.exception(outTradeNo, CHANNEL)).toBeUndefined();
    await backend.deliverAgain(CHANNEL, outTradeNo);
    expect(backend.miniProgram.messagesTo(openid)).toHaveLength(1);
  });

  it.each([
    [40003, 'invalid openid', 'openid'],
    [40037, 'invalid template_id', 'WECHAT_SUBSCRIBE_TEMPLATE_ID'],
    [47003, 'argument invalid! data.thing4.value is empty rid: 1-2-3', 'thing4'],
    [41030, 'invalid page', 'WECHAT_SUBSCRIBE_PAGE'],
  ])('that WeChat refuses with %i is over, and an operator sees why', async (errcode, errmsg, words) => {
    const { outTradeNo, openid } = await paid();
    backend.miniProgram.answers.push({ errcode, errmsg: `${errmsg} ${openid}` });
    await backend.deliver(CHANNEL);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'failed' });
    const exception = await backend.exception(outTradeNo, CHANNEL);
    expect(exception?.status).toBe('open');
    expect(exception?.reason).toContain(words);
    expect(exception?.reason).toContain(String(errcode));
    expect(exception?.reason).not.toContain(openid);
  });

  it.each<[string, StandInAnswer | { errcode: number }]>([
    ['-1, the system is busy', { errcode: -1 }],
    ['an errcode nobody knows', { errcode: 48001 }],
    ['a page of a gateway', { status: 502, body: '<html>' }],
    ['an answer that cannot be read', { status: 200, body: '{"errcode":' }],
    ['an answer without an errcode', { status: 200, body: '{}' }],
    ['an answer that is too large', { status: 200, body: `{"errcode":0,"x":"${'x'.repeat(100_000)}"}` }],
    ['a cut connection', 'reset'],
  ])('is sent again later after %s', async (_what, answer) => {
    const { outTradeNo } = await paid();
    backend.miniProgram.answers.push(answer);
    await backend.deliver(CHANNEL);
    const row = await backend.row(outTradeNo, CHANNEL);
    expect(row).toMatchObject({ status: 'pending', attempts: 1 });
    expect(row.due_in_s).toBeGreaterThan(1);
    await backend.deliverAgain(CHANNEL, outTradeNo);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
  });

  it('that hangs is cut, and its lane goes on', async () => {
    const hanging = await paid();
    const other = await paid();
    backend.miniProgram.answers.push('hang');
    const startedMs = performance.now();
    await backend.deliver(CHANNEL);
    expect(performance.now() - startedMs).toBeLessThan(7_000);
    expect(await backend.row(hanging.outTradeNo, CHANNEL)).toMatchObject({ status: 'pending', attempts: 1 });
    expect(await backend.row(other.outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
  });
});

describe('the access token', () => {
  it.each([40001, 42001, 40014])(
    'that is refused with %i is fetched anew once, and the message sent',
    async (errcode) => {
      const warmedUp = await paid();
      await backend.deliver(CHANNEL);
      const { outTradeNo, openid } = await paid();
      const tokensBefore = backend.miniProgram.tokensGiven;
      backend.miniProgram.answers.push({ errcode });
      await backend.deliver(CHANNEL);
      expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent', attempts: 0 });
      const tokens = backend.miniProgram.messagesTo(openid).map(({ token }) => token);
      expect(tokens).toHaveLength(2);
      expect(tokens[0]).toBe(backend.miniProgram.messagesTo(warmedUp.openid).at(-1)?.token);
      expect(tokens[1]).not.toBe(tokens[0]);
      expect(backend.miniProgram.tokensGiven).toBe(tokensBefore + 1);
    },
  );

  // A secret that was changed on WeChat's side would otherwise be asked about without end.
  it('that is refused twice leaves the message for later', async () => {
    const { outTradeNo, openid } = await paid();
    backend.miniProgram.answers.push({ errcode: 40001 }, { errcode: 40001 });
    await backend.deliver(CHANNEL);
    expect(backend.miniProgram.messagesTo(openid)).toHaveLength(2);
    expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'pending', attempts: 1 });
  });

  it('is asked for once by many messages at the same time', async () => {
    const replica = await backend.startReplica();
    try {
      for (let n = 0; n < 8; n += 1) await paid();
      const before = backend.miniProgram.tokenRequests.length;
      await Promise.all(Array.from({ length: 8 }, () => backend.deliver(CHANNEL, replica)));
      expect(backend.miniProgram.tokenRequests.length - before).toBe(1);
    } finally {
      await replica.stop();
    }
  });

  it('is renewed five minutes before its end', async () => {
    await paid();
    await backend.deliver(CHANNEL);
    const before = backend.miniProgram.tokensGiven;
    await paid();
    backend.aheadMs = 6_800_000;
    await backend.deliver(CHANNEL);
    expect(backend.miniProgram.tokensGiven).toBe(before);
    await paid();
    backend.aheadMs = 6_950_000;
    await backend.deliver(CHANNEL);
    expect(backend.miniProgram.tokensGiven).toBe(before + 1);
  });

  it('that WeChat does not give leaves the message for later, and the reason names what to look at', async () => {
    const replica = await backend.startReplica();
    try {
      const { outTradeNo } = await paid();
      const body = JSON.stringify({ errcode: 40125, errmsg: `invalid appsecret ${APP_SECRET}` });
      backend.miniProgram.tokenAnswer = { status: 200, body };
      await backend.deliver(CHANNEL, replica);
      const row = await backend.row(outTradeNo, CHANNEL);
      expect(row).toMatchObject({ status: 'pending', attempts: 1 });
      expect(row.last_error).toContain('40125');
      expect(row.last_error).toContain('WECHAT_APP_SECRET');
      expect(row.last_error).not.toContain(APP_SECRET);
    } finally {
      await replica.stop();
    }
  });
});

describe('WeChat’s limit a day', () => {
  // Every further call of that day is refused; calling on would only delay the end of the limit.
  it('stops all messages until tomorrow in Beijing, and then they go out', async () => {
    const orders = [await paid(), await paid(), await paid()];
    const sentBefore = backend.miniProgram.messages.length;
    backend.miniProgram.answers.push({ errcode: 45009, errmsg: 'reach max api daily quota limit' });
    await backend.deliver(CHANNEL);
    expect(backend.miniProgram.messages.length - sentBefore).toBe(1);
    const beijingNowMs = Date.now() + 8 * HOUR_MS;
    const untilTomorrowSeconds = 86_400 - (Math.floor(beijingNowMs / 1000) % 86_400);
    for (const { outTradeNo } of orders) {
      const { status, due_in_s: dueInSeconds } = await backend.row(outTradeNo, CHANNEL);
      expect(status).toBe('pending');
      expect(dueInSeconds).toBeGreaterThan(Math.min(untilTomorrowSeconds, 86_300) - 30);
      expect(dueInSeconds).toBeLessThan(untilTomorrowSeconds + 601);
    }
    backend.aheadMs = untilTomorrowSeconds * 1000 + 1_000;
    await backend.database.query("UPDATE outbox_messages SET available_at = NOW(3) WHERE status = 'pending'");
    await backend.deliver(CHANNEL);
    for (const { outTradeNo } of orders)
      expect(await backend.row(outTradeNo, CHANNEL)).toMatchObject({ status: 'sent' });
  });
});
