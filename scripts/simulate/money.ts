/** Fen as the yuan text of a DECIMAL(10,2) column. */
export function toYuan(amountFen: number): string {
  const digits = String(amountFen).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Rounds as the deployed functions do; what they read are JSON numbers of at most two decimals. */
export function toFen(amountYuan: number): number {
  return Math.round(amountYuan * 100);
}

/** The digits of a DECIMAL(10,2) are the fen. */
export function fenOf(amount: string): number {
  return Number(amount.replace('.', ''));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
