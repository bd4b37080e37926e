import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BREAKS_OF_ANSWERS } from './breaks-of-answers.ts';
import { BREAKS_OF_ROWS, first } from './breaks-of-rows.ts';
import { check, DECIDED_ELSEWHERE } from './check.ts';
import { DIRECT_ORDER, makeCleanRun } from './clean-run.ts';
import { RunBuilder } from './run-builder.ts';

describe('the checker', () => {
  it('finds nothing in a clean run, and looked at something for each invariant', () => {
    for (const verdict of check(makeCleanRun().evidence())) {
      expect(verdict).toEqual({ ...verdict, findings: [] });
      expect(verdict.examined, verdict.invariant).toBeGreaterThan(0);
    }
  });

  it.each([...BREAKS_OF_ROWS, ...BREAKS_OF_ANSWERS])('%s: finds that %s', (invariant, _, breakIt) => {
    const run = makeCleanRun();
    breakIt(run);
    const verdict = check(run.evidence()).find((one) => one.invariant === invariant);
    expect(verdict?.findings).not.toEqual([]);
  });

  it('says nothing about nothing', () => {
    const verdicts = check(new RunBuilder().evidence()).filter(({ invariant }) => invariant !== 'I11');
    for (const { invariant, findings } of verdicts) expect(findings, invariant).toEqual([]);
  });

  it('accepts what is before an operator', () => {
    const run = makeCleanRun();
    run.lose('entitlement_grants', '2');
    const at = run.payments.findIndex(({ outTradeNo }) => outTradeNo === DIRECT_ORDER);
    run.payments[at] = { ...first(run.payments.slice(at)), amountFen: 1 };
    const hold = { id: '1', kind: 'payment_held', subject: DIRECT_ORDER, status: 'open' };
    run.commit(62_000, ['exceptions', null, hold]);
    const found = check(run.evidence()).filter(({ findings }) => findings.length > 0);
    // The credits of the line that is gone.
    expect(found.map(({ invariant }) => invariant)).toEqual(['I5']);
  });

  it('leaves no invariant undecided', () => {
    const decided = check(makeCleanRun().evidence()).map(({ invariant }) => invariant as string);
    const all = [...decided, ...Object.keys(DECIDED_ELSEWHERE)].map((name) => Number(name.slice(1)));
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
    for (const file of Object.values(DECIDED_ELSEWHERE).flat())
      expect(existsSync(join(import.meta.dirname, '../../..', file)), file).toBe(true);
  });
});
