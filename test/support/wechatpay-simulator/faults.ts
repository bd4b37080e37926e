import type { RouteName } from './routes.ts';

/**
 * What can go wrong with the next request. `before`: nothing was done. `after`: it was done, and only the answer is
 * missing or wrong; so it is with all faults that say neither.
 */
export const FAULT_KINDS = [
  'bad-signature',
  'missing-headers',
  'unknown-serial',
  'skew',
  'changed-body',
  'truncated',
  'huge',
  'too-many-before',
  'rule-limit-before',
  'error-before',
  'error-after',
  'html-502-before',
  'html-502-after',
  'redirect-before',
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** An error of the test's choice, before the effect. */
export type RefusalFault = { readonly status: number; readonly code: string; readonly message?: string };

/** Another body in place of a successful answer's own, correctly signed. */
export type RewriteFault = { readonly rewrite: (body: Record<string, unknown>) => unknown };

export type Fault = FaultKind | RefusalFault | RewriteFault;

export type FaultScope = {
  /** How many requests it meets; Infinity until `clear`. */
  times?: number;
  /** Which requests it meets; absent: any. */
  route?: RouteName;
};

type Switch = { readonly fault: Fault; readonly route: RouteName | null; timesLeft: number };

/** The fault switches, used up in the order they were set. */
export class Faults {
  private switches: Switch[] = [];

  next(fault: Fault, { times = 1, route }: FaultScope = {}): void {
    this.switches.push({ fault, route: route ?? null, timesLeft: times });
  }

  clear(): void {
    this.switches = [];
  }

  /** How many requests are still to fail. */
  get left(): number {
    return this.switches.reduce((sum, one) => sum + one.timesLeft, 0);
  }

  take(route: RouteName): Fault | null {
    const found = this.switches.find((one) => one.route === null || one.route === route);
    if (!found) return null;
    found.timesLeft -= 1;
    if (found.timesLeft <= 0) this.switches = this.switches.filter((one) => one !== found);
    return found.fault;
  }
}
