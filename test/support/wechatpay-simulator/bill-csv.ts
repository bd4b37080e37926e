const BOM = '\uFEFF';
const END = '\r\n';

/** A bill as WeChat Pay writes it: titles bare, every field of every row behind a backtick, then the same for the sums. */
export function toBillCsv(bill: {
  titles: readonly string[];
  rows: readonly (readonly string[])[];
  sumTitles: readonly string[];
  sums: readonly string[];
}): Buffer {
  const lines = [
    bill.titles.join(','),
    ...bill.rows.map(toRow),
    bill.sumTitles.join(','),
    toRow(bill.sums),
    '',
  ];
  return Buffer.from(BOM + lines.join(END), 'utf8');
}

/** Two decimals, as in the rows: 29.90. */
export function toYuan(fen: number): string {
  return withDecimals(fen, 2);
}

/** Five decimals, as fees are written: 0.18000. */
export function toFee(fen: number): string {
  return withDecimals(fen, 5);
}

/** As sums are written: at least one decimal, and no zero too many (29.9, 0.0). */
export function toSum(fen: number): string {
  return toYuan(fen).replace(/0$/, '');
}

/** As counts are written: 45.0. */
export function toCount(count: number): string {
  return `${count}.0`;
}

function withDecimals(fen: number, decimals: number): string {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  const fraction = digits.slice(-2).padEnd(decimals, '0');
  return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${fraction}`;
}

/** Line ends inside a field are written as the two characters; commas stay as they are. */
function toRow(fields: readonly string[]): string {
  return fields.map((field) => `\`${field.replaceAll('\r', '\\r').replaceAll('\n', '\\n')}`).join(',');
}
