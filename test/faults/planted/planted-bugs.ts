import type { PlantedBug } from './planted-bug.ts';
import { OF_REFUNDS } from './planted-refund-bugs.ts';

const INBOX = 'src/platform/inbox';
const PAYMENTS = 'src/payments';

const OF_MESSAGES: readonly PlantedBug[] = [
  {
    name: 'acknowledged before the spool is synced',
    breaks: ['I1', 'I13'],
    edits: [
      {
        file: 'src/platform/spool/spool-worker.js',
        find: 'append(appends.map(({ record }) => record));',
        replace:
          'setTimeout(() => { try { append(appends.map(({ record }) => record)); } catch (error) { recover(error); } }, 2);',
      },
    ],
    run: { seed: 1, only: ['F16'] },
  },
  {
    name: 'acknowledged before the row is committed',
    breaks: ['I1', 'I2', 'I13'],
    edits: [
      {
        file: `${INBOX}/inbox.service.js`,
        find: "await withDeadline('the inbox', WRITE_DEADLINE_MS, this.commit.add(record));",
        replace: 'this.commit.add(record).catch(() => undefined);',
      },
    ],
    run: { seed: 1, only: ['F3', 'F6', 'F8'] },
  },
  {
    name: 'a spooled record removed before its row is there',
    breaks: ['I1', 'I13', 'I20'],
    edits: [
      {
        file: `${INBOX}/spool-drain.service.js`,
        find: 'async move(batch) {',
        replace: 'async move(batch) {\n        await this.spool.remove(batch.map(({ seq }) => seq));',
      },
    ],
    run: { seed: 1, only: ['F3', 'F6', 'F8'] },
  },
  {
    name: 'handled in another transaction than the effect',
    breaks: ['I1', 'I2'],
    edits: [
      {
        file: `${INBOX}/inbox-drain.service.js`,
        find: 'return this.applier.applyAll(tx, claimed);',
        replace:
          "await this.inbox.settle(tx, [0, ...claimed.map(({ id }) => id)], { status: 'handled', outcome: 'taken' });\n                return { releases: [], alone: [] };",
      },
      {
        file: `${INBOX}/inbox-drain.service.js`,
        find: 'await this.release(releases);',
        replace:
          'if (claimed.length > 0) await this.unitOfWork.run((tx) => this.applier.applyAll(tx, claimed));\n            await this.release(releases);',
      },
    ],
    run: { seed: 1, only: ['F1', 'F3', 'F6', 'F8'], kills: 6 },
  },
  {
    name: 'an openid in a log line',
    breaks: ['I17'],
    edits: [
      {
        file: `${INBOX}/inbox.service.js`,
        find: "this.logger.info('inbox.accepted', {",
        replace: "this.logger.info('inbox.accepted', { payload: record.payload,",
      },
    ],
    run: { seed: 1, only: ['F9'] },
  },
];

const OF_PAYMENTS: readonly PlantedBug[] = [
  {
    name: 'the ledger written outside of the transaction',
    breaks: ['I5'],
    edits: [
      {
        file: 'src/users/entitlements.service.js',
        find: 'await this.entitlements.append(tx, this.toLine(grant));',
        replace: 'await this.entitlements.append(this.unitOfWork.reader, this.toLine(grant));',
      },
      {
        file: 'src/users/entitlements.service.js',
        find: 'await this.entitlements.append(tx, ...grants',
        replace: 'await this.entitlements.append(this.unitOfWork.reader, ...grants',
      },
    ],
    run: { seed: 1, only: ['F9'] },
  },
  {
    name: 'a grant for each road that tells of the payment',
    breaks: ['I4'],
    edits: [
      {
        file: 'src/users/entitlements.service.js',
        find: '...grant,',
        replace: '...grant, outTradeNo: `${grant.outTradeNo}:${grant.grantedBy}`, transactionId: null,',
      },
    ],
    run: { seed: 1, only: ['F9'] },
  },
  {
    name: 'granted on hearsay',
    breaks: ['I6'],
    edits: [
      {
        file: `${PAYMENTS}/hearsay.service.js`,
        find: "return this.wechatpay.isConfigured && !claim.evidence && claim.source !== 'wechat-unreachable';",
        replace: 'return false;',
      },
    ],
    run: { seed: 1, only: ['F28'] },
  },
  {
    name: 'a batch gives everything to one user',
    breaks: ['I6'],
    edits: [
      {
        file: `${PAYMENTS}/usual-payments.service.js`,
        find: 'gift ? [{ outTradeNo, ...pickGrant(gift) }] : []);',
        replace:
          'gift ? [{ outTradeNo, ...pickGrant(gift), userId: payments.find((one) => one.gift).gift.userId }] : []);',
      },
    ],
    run: { seed: 1, only: ['F27'] },
  },
  {
    name: 'every order gives premium',
    breaks: ['I6'],
    edits: [
      { file: `${PAYMENTS}/grant-rules.js`, find: '...given,', replace: "...given, packageType: 'premium'," },
    ],
    run: { seed: 1, only: ['F9'] },
  },
  {
    name: 'a late backup fails a paid order',
    breaks: ['I7'],
    edits: [
      {
        file: `${PAYMENTS}/payment-order.state.js`,
        find: "paid: { payment_proven: 'paid',",
        replace: "paid: { closed: 'failed', payment_proven: 'paid',",
      },
      {
        file: `${PAYMENTS}/order-backups.service.js`,
        find: 'async complete(tx, existing, backup) {',
        replace:
          'async complete(tx, existing, backup) {\n        await this.payments.recordClosed(tx, backup.outTradeNo);',
      },
    ],
    run: { seed: 1, only: ['F9'] },
  },
  {
    name: 'swept by a watermark, and WeChat Pay not asked',
    breaks: ['I4', 'I15'],
    edits: [
      {
        file: `${PAYMENTS}/paid-sweep.service.js`,
        find: 'async sweepRecent(windowSeconds, { lease, stopping }) {',
        // What changed since the last look, by the time that the statement had.
        replace: 'async sweepRecent(windowSeconds, { lease, stopping }) {\n        windowSeconds = 3;',
      },
      {
        file: `${PAYMENTS}/paid-sweep.service.js`,
        find: 'async sweepNextStep({ lease, stopping }) {',
        replace: 'async sweepNextStep({ lease, stopping }) {\n        return;',
      },
      {
        file: `${PAYMENTS}/pending-orders.service.js`,
        find: 'async plan(orders) {',
        replace: 'async plan(orders) {\n        return;',
      },
    ],
    run: { seed: 1, only: ['F11'] },
  },
  {
    name: 'times in the zone of the shop',
    breaks: ['I16'],
    edits: [
      {
        file: 'src/platform/database/database-options.js',
        find: "SET time_zone = '+00:00'",
        replace: "SET time_zone = '+08:00'",
      },
    ],
    run: { seed: 1, only: ['F9'] },
  },
  {
    name: 'COMMIT after a lock wait that timed out',
    breaks: ['I4', 'I10'],
    edits: [
      {
        file: 'src/platform/database/unit-of-work.js',
        find: 'await rollBackOrCut(runner);',
        replace: 'await (error?.errno === 1205 ? runner.commitTransaction() : rollBackOrCut(runner));',
      },
    ],
    run: { seed: 1, only: ['F8'] },
  },
];

/** The proof of the checker: each of these must be found. */
export const PLANTED_BUGS: readonly PlantedBug[] = [...OF_MESSAGES, ...OF_PAYMENTS, ...OF_REFUNDS];
