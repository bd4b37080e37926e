/** The faults of a run, by their numbers in the catalogue of `docs/faults.md`. */
export const FAULTS = {
  F1: 'replicas killed under load, at any moment and at the n-th COMMIT or fsync',
  F2: 'a replica alone, killed at every COMMIT and every fsync of one order',
  F3: 'the database server killed',
  F4: 'the database away at boot',
  F5: 'the database server stands still',
  F6: 'the network black, reset, and byte by byte',
  F7: 'COMMIT done, its answer lost',
  F8: 'lock waits, sessions killed, read-only, too many connections',
  F9: 'one payment told 64 times over both replicas',
  F10: 'the notice before its order, which is in the other spool',
  F11: 'a function commits late',
  F12: 'storms of refunds',
  F15: 'the disk of the spool full',
  F16: 'a sync of the spool fails',
  F17: 'the end of the spool torn',
  F18: 'a slow disk',
  F19: 'WeChat Pay and the refund function fail in every way',
  F20: 'replicas restarted in turn under load',
  F27: 'a flood out of the spool',
  F28: 'rows of other writers',
} as const;

export type FaultNumber = keyof typeof FAULTS;

export const FAULT_NUMBERS = Object.keys(FAULTS) as readonly FaultNumber[];

export function isFaultNumber(text: string): text is FaultNumber {
  return Object.hasOwn(FAULTS, text);
}
