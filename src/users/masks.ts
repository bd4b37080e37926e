/** Of a shorter value too little would stay hidden to show both ends. */
const BOTH_ENDS_LENGTH_MIN = 12;
const ENDS_SHOWN = 4;
const PHONE_DIGITS_HIDDEN = 4;
const PHONE_LENGTH_MIN = 11;

/** Enough of an openid to tell two users apart, and too little to use it: `oABC…x456`. */
export function maskOpenid(openid: string): string {
  if (openid.length < BOTH_ENDS_LENGTH_MIN) return `${openid.slice(0, 1)}…`;
  return `${openid.slice(0, ENDS_SHOWN)}…${openid.slice(-ENDS_SHOWN)}`;
}

/** What its owner recognizes and nobody can call: `138****1234`. */
export function maskPhone(phone: string): string {
  if (phone.length < PHONE_LENGTH_MIN) return `****${phone.slice(-2)}`;
  const shown = phone.length - PHONE_DIGITS_HIDDEN - ENDS_SHOWN;
  return `${phone.slice(0, shown)}****${phone.slice(-ENDS_SHOWN)}`;
}
