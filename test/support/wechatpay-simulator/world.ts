import type { Agenda } from './agenda.ts';
import type { ControllableClock } from './clock.ts';
import type { Merchant } from './keys.ts';
import type { Ledger } from './ledger.ts';
import type { Settings } from './settings.ts';

/** What every part of the simulator works with. */
export type World = {
  readonly clock: ControllableClock;
  readonly merchant: Merchant;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly agenda: Agenda;
};
