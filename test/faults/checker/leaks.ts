import { findLeaks } from '../../support/leaks.ts';
import type { Facts } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** I17: no secret and nobody's openid stands in a log, in an answer or in a table that tells of them, in any form. */
export function nothingLeaks(facts: Facts): Verdict {
  const seen = new Examination('I17');
  const { canaries } = facts.evidence.setting;
  if (canaries.length === 0) return seen.verdict();
  for (const { name, log } of facts.evidence.replicas) {
    seen.count(log.split('\n').length);
    for (const leak of findLeaks(log, canaries)) seen.examine(`in the log of ${name}: ${leak}`);
  }
  for (const table of ['error_logs', 'audit_logs', 'exceptions']) {
    const rows = facts.rows(table);
    seen.count(rows.length);
    for (const leak of findLeaks(JSON.stringify(rows), canaries)) seen.examine(`in ${table}: ${leak}`);
  }
  const answers = facts.evidence.history.flatMap(({ answer }) => {
    if (answer === null || answer === undefined) return [];
    return [typeof answer === 'string' ? answer : JSON.stringify(answer)];
  });
  seen.count(answers.length);
  for (const leak of findLeaks(answers.join('\n'), canaries)) seen.examine(`in an answer: ${leak}`);
  return seen.verdict();
}
