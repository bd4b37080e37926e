/** Of a shorter value too little would stay hidden to show both ends. */
const BOTH_ENDS_LENGTH_MIN = 12;
const ENDS_SHOWN = 4;

/** Enough of an openid to tell two users apart, and too little to use it: `oABC…x456`. */
export function maskOpenid(openid: string): string {
  if (openid.length < BOTH_ENDS_LENGTH_MIN) return `${openid.slice(0, 1)}…`;
  return `${openid.slice(0, ENDS_SHOWN)}…${openid.slice(-ENDS_SHOWN)}`;
}
