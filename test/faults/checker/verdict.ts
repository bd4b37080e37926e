/** The invariants of `docs/faults.md` that are decided from the evidence of a run. */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15'
  | 'I16'
  | 'I17'
  | 'I19'
  | 'I20'
  | 'I21'
  | 'I24';

export type Verdict = {
  readonly invariant: Invariant;
  /** How many things were looked at: a verdict about nothing is none. */
  readonly examined: number;
  /** One sentence for each thing that is wrong. */
  readonly findings: readonly string[];
};

/** Looks at things one by one and notes what is wrong with them. */
export class Examination {
  private readonly invariant: Invariant;
  private readonly findings: string[] = [];
  private examined = 0;

  constructor(invariant: Invariant) {
    this.invariant = invariant;
  }

  /** A complaint of null is none. */
  examine(complaint: string | null): void {
    this.examined += 1;
    if (complaint !== null) this.findings.push(complaint);
  }

  /** Looked at as well, in bulk and without a complaint. */
  count(things: number): void {
    this.examined += things;
  }

  verdict(): Verdict {
    return { invariant: this.invariant, examined: this.examined, findings: this.findings };
  }
}
