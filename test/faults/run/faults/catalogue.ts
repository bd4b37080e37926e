import type { FaultNumber } from '../fault-numbers.ts';
import { failSync, fillDisk, slowDisk, tearSpool } from './disk-faults.ts';
import type { Fault } from './fault.ts';
import { bootWithoutServer, breakNetwork, loseCommitAnswers } from './network-faults.ts';
import { failUpstream, restartInTurn } from './others.ts';
import { disturbSessions, freezeServer, killServer } from './server-faults.ts';
import {
  commitLate,
  floodFromSpool,
  noticeFirst,
  repeatNotice,
  stormRefunds,
  writeOddRows,
} from './traffic-faults.ts';

/** Kills of replicas (F1, F2) have their own place in a run. */
export const CATALOGUE: Readonly<Record<Exclude<FaultNumber, 'F1' | 'F2'>, Fault>> = {
  F3: killServer,
  F4: bootWithoutServer,
  F5: freezeServer,
  F6: breakNetwork,
  F7: loseCommitAnswers,
  F8: disturbSessions,
  F9: repeatNotice,
  F10: noticeFirst,
  F11: commitLate,
  F12: stormRefunds,
  F15: fillDisk,
  F16: failSync,
  F17: tearSpool,
  F18: slowDisk,
  F19: failUpstream,
  F20: restartInTurn,
  F27: floodFromSpool,
  F28: writeOddRows,
};
