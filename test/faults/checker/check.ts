import {
  answersAreHonest,
  answersAreIdempotent,
  noAcknowledgedNoticeLost,
  noAcknowledgedOrderLost,
} from './acknowledged.ts';
import { changesAreAudited } from './audit.ts';
import { entitlementsAreExactlyOnce, grantsHaveMoney, usersMatchTheLedger } from './entitlements.ts';
import type { Evidence } from './evidence.ts';
import { Facts } from './facts.ts';
import { nothingLeaks } from './leaks.ts';
import { moneyIsConserved } from './money.ts';
import {
  directPaymentsArePickedUp,
  leasesAreFenced,
  nothingEndsInSilence,
  spoolsAreAccountedFor,
} from './operation.ts';
import { factsAreWrittenOnce, numbersAreUnique, timesAreTrue, transitionsAreLegal } from './orders.ts';
import { intentsAreRefundedOnce, refundedMeansAllOfIt, refundsAreBounded } from './refunds.ts';
import type { Invariant, Verdict } from './verdict.ts';

const CHECKS: Readonly<Record<Invariant, (facts: Facts) => Verdict>> = {
  I1: noAcknowledgedOrderLost,
  I2: noAcknowledgedNoticeLost,
  I3: numbersAreUnique,
  I4: entitlementsAreExactlyOnce,
  I5: usersMatchTheLedger,
  I6: grantsHaveMoney,
  I7: transitionsAreLegal,
  I8: factsAreWrittenOnce,
  I9: refundsAreBounded,
  I10: refundedMeansAllOfIt,
  I11: moneyIsConserved,
  I12: intentsAreRefundedOnce,
  I13: answersAreHonest,
  I14: answersAreIdempotent,
  I15: directPaymentsArePickedUp,
  I16: timesAreTrue,
  I17: nothingLeaks,
  I19: leasesAreFenced,
  I20: spoolsAreAccountedFor,
  I21: changesAreAudited,
  I24: nothingEndsInSilence,
};

/** The invariants that a fault run says nothing about, and the tests that decide them. */
export const DECIDED_ELSEWHERE = {
  I18: ['test/e2e/admin-access.test.ts'],
  I22: [
    'test/e2e/admin-export.test.ts',
    'test/e2e/admin-export-others.test.ts',
    'test/integration/platform/csv.test.ts',
  ],
  I23: ['bench/bench.ts', 'bench/export.ts'],
} as const;

/**
 * Decides the invariants from what a run left behind: no code of the application, no question to anybody. The order is that of
 * their numbers.
 */
export function check(evidence: Evidence): readonly Verdict[] {
  const facts = new Facts(evidence);
  return Object.values(CHECKS).map((decide) => decide(facts));
}
