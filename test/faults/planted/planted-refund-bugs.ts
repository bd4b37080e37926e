import type { PlantedBug } from './planted-bug.ts';

const REFUNDS = 'src/refunds';

/** Of what gives money back, and of who works at it. */
export const OF_REFUNDS: readonly PlantedBug[] = [
  {
    name: 'a silent refund sent again under a new number, and not asked about',
    breaks: ['I12'],
    edits: [
      {
        file: `${REFUNDS}/refund-settlement.service.js`,
        find: "if (refund.stage !== 'requested' && this.questions.canAsk) {",
        replace: 'if (false) {',
      },
      {
        file: `${REFUNDS}/refund-sending.service.js`,
        find: 'const order = {\n            outRefundNo,',
        replace:
          'const order = {\n            outRefundNo: refund.sends > 0 ? `${outRefundNo}r${refund.sends}` : outRefundNo,',
      },
    ],
    run: { seed: 1, only: ['F12'] },
  },
  {
    name: 'refunds not bounded by what was paid',
    breaks: ['I9'],
    edits: [
      {
        file: `${REFUNDS}/refund-rules.js`,
        find: 'if (leftFen === 0 || (amount && amount.fen > leftFen)) {',
        replace: 'if (false) {',
      },
    ],
    run: { seed: 1, only: ['F12'] },
  },
  {
    name: 'yuan read as a float',
    breaks: ['I11', 'I13'],
    edits: [
      {
        file: 'src/shared/money.js',
        find: "Money.ofFen(Number(whole) * 100 + Number(fraction.padEnd(2, '0')))",
        replace:
          'Money.ofFen(Math.trunc(Math.fround(Number(`${whole}.${fraction}`)) * 100) || Number(fraction))',
      },
    ],
    run: { seed: 1, only: ['F12'] },
  },
  {
    name: 'a refund without its line in the audit log',
    breaks: ['I21'],
    edits: [
      {
        file: `${REFUNDS}/refunds.service.js`,
        find: 'await this.note(tx, {\n            by: wish.by,',
        replace: 'void ({\n            by: wish.by,',
      },
    ],
    run: { seed: 1, only: ['F12'] },
  },
  {
    name: 'a lease that changes hands under one token',
    breaks: ['I19'],
    edits: [
      {
        file: 'src/platform/jobs/job-leases.repository.js',
        find: 'IF(owner = ?, 0, 1)',
        replace: 'IF(owner = ?, 0, 0)',
      },
    ],
    run: { seed: 1, only: ['F20'] },
  },
  {
    name: 'an idempotency key that is not kept',
    breaks: ['I12', 'I14'],
    edits: [
      {
        file: `${REFUNDS}/refund-settlements.repository.js`,
        find: 'settlement.idempotencyKey ?? null,',
        replace: 'null,',
      },
    ],
    run: { seed: 1, only: ['F12'] },
  },
  {
    name: 'a promised refund given up when nobody answers',
    breaks: ['I24'],
    edits: [
      {
        file: `${REFUNDS}/refund-settlement.service.js`,
        find: 'return this.wait(tx, refund, answer);',
        replace:
          "await this.records.recordRefused(tx, { outRefundNo, outTradeNo, why: 'no answer', askAgainInMs: null }); return answer.kind;",
      },
    ],
    run: { seed: 1, only: ['F19', 'F19'] },
  },
];
