import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OutboxChannels } from '../../src/platform/outbox/outbox-channels.js';
import type { StandInAnswer } from '../support/http-stand-in.js';
import { findLeaks } from '../support/leaks.js';
import { captureLog } from '../support/log-capture.js';
import { ACCESS_TOKEN, APP_SECRET, NoticesBackend, WEBHOOK_SECRET } from '../support/notices-backend.js';

const DAY_MS = 24 * 3_600_000;

let backend: NoticesBackend;
let log: ReturnType<typeof captureLog>;

beforeAll(async () => {
  log = captureLog();
  backend = await NoticesBackend.start({ env: { LOG_LEVEL: 'debug' } });
});
afterAll(async () => {
  await backend.stop();
  vi.restoreAllMocks();
});

/** Everything that may meet a notice, with answers that quote what they were sent. */
async function playAll(): Promise<string[]> {
  const openids = Array.from({ length: 16 }, (_, n) => `oCanaryPayer${String(n).padStart(16, '0')}`);
  const quoting = openids.join(' ');
  const said = (errcode: number) => ({
    errcode,
    errmsg: `${errcode} data.thing4.value ${quoting} ${ACCESS_TOKEN}-1`,
  });
  const errcodes = [0, 43101, 40003, 40037, 47003, 41030, -1, 48001, 40001, 42001, 40014];
  const bodies: StandInAnswer[] = [
    { status: 502, body: `<html>${quoting}` },
    { status: 200, body: `{"errcode":${quoting}` },
    'reset',
  ];
  backend.miniProgram.answers.push(...errcodes.map(said), ...bodies, said(45009));
  const answers: StandInAnswer[] = [
    { status: 500, body: `${WEBHOOK_SECRET} ${quoting}` },
    { status: 302, headers: { Location: `http://127.0.0.1:1/?key=canary-url-key` } },
    { status: 410, body: WEBHOOK_SECRET },
    'reset',
  ];
  backend.answerTo = () => answers.shift() ?? { status: 200 };
  for (const openid of openids) await backend.pay(openid);
  await backend.distribute();
  await backend.deliver('webhook');
  await backend.deliver('subscribe_message');
  const secret = backend.application.app.get(OutboxChannels).find('webhook');
  if (!secret) throw new Error('there is a webhook');
  vi.spyOn(secret, 'deliver').mockRejectedValueOnce(
    Object.assign(new Error(`token=${ACCESS_TOKEN} secret=${WEBHOOK_SECRET}`), {
      config: { openids, APP_SECRET },
    }),
  );
  backend.miniProgram.tokenAnswer = {
    status: 200,
    body: JSON.stringify({ errcode: 40125, errmsg: APP_SECRET }),
  };
  backend.aheadMs = 2 * DAY_MS;
  await backend.database.query("UPDATE outbox_messages SET available_at = NOW(3) WHERE status = 'pending'");
  await backend.deliver('webhook');
  await backend.deliver('subscribe_message');
  return openids;
}

describe('secrets, tokens and openids', () => {
  // Logs and exceptions are read by more people than keys are, and copied to places where nobody expects personal data.
  it('are in no log line and in no table for operators, whatever a notice meets', async () => {
    const openids = await playAll();
    // Without these the search below would prove nothing.
    for (const event of [
      'outbox.delivered',
      'outbox.not_delivered',
      'outbox.delivery_failed',
      'exception.raised',
    ])
      expect(log.text()).toContain(`"event":"${event}"`);
    let rows = '';
    for (const table of ['error_logs', 'exceptions', 'audit_logs', 'outbox_messages'])
      rows += `${JSON.stringify(await backend.database.query(`SELECT * FROM ${table}`))}\n`;
    expect(rows).toContain('notice_undeliverable');
    const canaries = [...openids, APP_SECRET, ACCESS_TOKEN, WEBHOOK_SECRET, 'canary-url-key'];
    expect(findLeaks(log.text() + rows, canaries)).toEqual([]);
  });
});
