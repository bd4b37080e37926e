const HIDDEN = '*';

/** Enough of a phone number to compare it with one that is told: 138****5678. */
export function maskPhone(phone: string): string {
  if (phone.length < 7) return HIDDEN.repeat(phone.length);
  const shown = { first: Math.min(3, phone.length - 7 + 1), last: 4 };
  return (
    phone.slice(0, shown.first) +
    HIDDEN.repeat(phone.length - shown.first - shown.last) +
    phone.slice(-shown.last)
  );
}

/** The first character of a name: 张**. */
export function maskName(name: string): string {
  const [first, ...rest] = name;
  return first === undefined ? '' : first + HIDDEN.repeat(Math.max(1, rest.length));
}
