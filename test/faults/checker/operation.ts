import type { Row } from './evidence.ts';
import { imageOf } from './binlog.ts';
import { msOf, text } from './facts.ts';
import type { Facts } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const PICK_UP_MS = 10_000;
/** MariaDB tells commits to the second. */
const COMMIT_TOLERANCE_MS = 1_000;
/** A message that waits is looked at every 30 s at the least. */
const WAIT_TOLERANCE_MS = 45_000;

/**
 * I15: a row that a function turned to paid is granted, or held, within 10 s of its commit, told or not. While faults go on nobody can
 * promise it: the time then runs from their end.
 */
export function directPaymentsArePickedUp(facts: Facts): Verdict {
  const seen = new Examination('I15');
  const settledAtMs = new Map<string, number>();
  for (const { table, before, after, committedAtMs } of facts.evidence.changes) {
    const isHold =
      table === 'exceptions' && after?.kind === 'payment_held' && facts.mayBeHeld(text(after, 'subject'));
    if (before || !after || !(isHold || table === 'entitlement_grants')) continue;
    const outTradeNo = text(after, isHold ? 'subject' : 'out_trade_no');
    if (!settledAtMs.has(outTradeNo)) settledAtMs.set(outTradeNo, committedAtMs);
  }
  const { healedAtMs } = facts.evidence.setting;
  for (const { what, outTradeNo, committedAtMs } of facts.evidence.directWrites) {
    if (what !== 'order_paid' || outTradeNo === null) continue;
    const atMs = settledAtMs.get(outTradeNo);
    const untilMs = Math.max(committedAtMs, healedAtMs) + PICK_UP_MS;
    const took = atMs === undefined ? 'never' : `${atMs - Math.max(committedAtMs, healedAtMs)} ms later`;
    seen.examine(
      atMs !== undefined && atMs <= untilMs ? null : `${outTradeNo} was paid directly, granted ${took}`,
    );
  }
  return seen.verdict();
}

/** I19: a lease changes hands with a higher token and not before it ran out; nothing is written under an old one. */
export function leasesAreFenced(facts: Facts): Verdict {
  const seen = new Examination('I19');
  for (const { before, after, committedAtMs } of facts.changes('job_leases')) {
    if (!after) seen.examine(`the lease ${before?.name} was deleted, and its token with it`);
    else if (before) seen.examine(brokenLease(before, after, committedAtMs));
  }
  return seen.verdict();
}

function brokenLease(before: Row, after: Row, committedAtMs: number): string | null {
  const tokens = [BigInt(text(before, 'fencing_token')), BigInt(text(after, 'fencing_token'))] as const;
  if (tokens[1] < tokens[0]) return `the token of ${after.name} fell from ${tokens[0]} to ${tokens[1]}`;
  const isNewOwner = after.owner !== null && after.owner !== before.owner;
  if (!isNewOwner) return null;
  if (tokens[1] === tokens[0]) return `the lease ${after.name} changed hands under one token, ${tokens[0]}`;
  const endsAtMs = msOf(before.expires_at) ?? 0;
  const isTooEarly = before.owner !== null && committedAtMs < endsAtMs - COMMIT_TOLERANCE_MS;
  return isTooEarly ? `the lease ${after.name} was taken from ${before.owner} before it ran out` : null;
}

type LogLine = {
  readonly event?: unknown;
  readonly stored?: unknown;
  readonly topic?: unknown;
  readonly outTradeNo?: unknown;
};

/** I20: whatever a spool took is in the inbox in the end, or before an operator, and no spool keeps anything. */
export function spoolsAreAccountedFor(facts: Facts): Verdict {
  const seen = new Examination('I20');
  const stored = new Set(
    facts
      .changes('inbox_messages')
      .map((change) => `${imageOf(change).topic} ${imageOf(change).out_trade_no}`),
  );
  const refused = facts.rows('exceptions').filter(({ kind }) => kind === 'spool_record_refused');
  for (const { name, log, spoolDepth } of facts.evidence.replicas) {
    seen.examine(spoolDepth === 0 ? null : `${spoolDepth} messages are left in the spool of ${name}`);
    for (const { topic, outTradeNo } of spooledIn(log)) {
      const isThere =
        stored.has(`${topic} ${outTradeNo}`) || refused.some(({ subject }) => subject === outTradeNo);
      seen.examine(
        isThere ? null : `${name} spooled ${topic} of ${outTradeNo}, which never reached the inbox`,
      );
    }
  }
  return seen.verdict();
}

/** A process that is killed leaves its last line unfinished. */
function spooledIn(log: string): { topic: string; outTradeNo: string }[] {
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"inbox.accepted"') || !line.endsWith('}')) return [];
    const { event, stored, topic, outTradeNo } = lineOf(line);
    return event === 'inbox.accepted' && stored === 'spool'
      ? [{ topic: String(topic), outTradeNo: String(outTradeNo) }]
      : [];
  });
}

/** The unfinished line of a process that was killed, and the first one of the next, are one line that is no JSON. */
function lineOf(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {};
  }
}

/** I24: nothing ends in silence: what is not settled at quiet waits for WeChat Pay's word, or is before an operator. */
export function nothingEndsInSilence(facts: Facts): Verdict {
  const seen = new Examination('I24');
  for (const message of facts.rows('inbox_messages')) seen.examine(silentMessage(facts, message));
  for (const order of facts.rows('payment_orders')) {
    const outTradeNo = text(order, 'out_trade_no');
    const isForgotten =
      ['pending', 'failed', ''].includes(text(order, 'status')) && facts.payment(outTradeNo);
    seen.examine(isForgotten ? `${outTradeNo} was paid at WeChat Pay, and is ${order.status} here` : null);
  }
  const atWechat = new Map(
    facts.evidence.ledger.refunds.map(({ outRefundNo, status }) => [outRefundNo, status]),
  );
  for (const refund of facts.rows('refund_settlements')) {
    const outRefundNo = text(refund, 'out_refund_no');
    const isOpen = ['pending', 'abnormal'].includes(text(refund, 'status')) && refund.stage !== 'disproven';
    const isMoving = refund.status === 'pending' && atWechat.get(outRefundNo) === 'PROCESSING';
    const isSilent = isOpen && !isMoving && !facts.hasException(outRefundNo);
    seen.examine(
      isSilent ? `the refund ${outRefundNo} is ${refund.status} (${refund.stage}), and nobody is told` : null,
    );
    if (refund.origin === 'operator' && refund.status === 'closed')
      seen.examine(givenUpInSilence(facts, outRefundNo, atWechat.get(outRefundNo)));
  }
  for (const notice of facts.rows('outbox_messages')) {
    const isSilent = notice.status === 'failed' && !facts.hasException(text(notice, 'message_key'));
    seen.examine(isSilent ? `the notice ${notice.message_key} failed, and nobody is told` : null);
  }
  return seen.verdict();
}

/** What was promised is given up only when WeChat Pay closed it, and then somebody is told. */
function givenUpInSilence(facts: Facts, outRefundNo: string, there: string | undefined): string | null {
  if (there !== 'CLOSED') return `the refund ${outRefundNo} was given up, and is ${there ?? 'unknown'} there`;
  return facts.hasException(outRefundNo)
    ? null
    : `the refund ${outRefundNo} was given up, and nobody is told`;
}

function silentMessage(facts: Facts, message: Row): string | null {
  const outTradeNo = text(message, 'out_trade_no');
  const name = `the message ${message.id} (${message.topic}) of ${outTradeNo}`;
  if (message.status === 'quarantined') {
    // What it claimed came true by another road, and that road resolved the exception; the message stays aside.
    const isSettled = facts.hadException(outTradeNo) && facts.hasLine(outTradeNo, 'grant');
    return isSettled || facts.hasException(outTradeNo) ? null : `${name} is aside, and nobody is told`;
  }
  if (message.status !== 'pending') return null;
  const { quietAtMs, orderWaitMs } = facts.evidence.setting;
  const ageMs = quietAtMs - (msOf(message.received_at) ?? 0);
  // Hearsay waits for WeChat Pay's word until the time of its order is over; what WeChat Pay has waits for nothing.
  if (!facts.payment(outTradeNo) && ageMs < orderWaitMs + WAIT_TOLERANCE_MS) return null;
  return facts.hasException(outTradeNo) ? null : `${name} still waits, and nobody is told`;
}
