/** Money is whole fen or cents on the wire; people read and write it with two decimals. */
const MINOR_DIGITS = 2;

const shown = new Intl.NumberFormat('en', { minimumFractionDigits: MINOR_DIGITS });

/** `4500` → `¥45.00`. The digits are moved as text: a balance can be larger than what doubles divide exactly. */
export function money(minor: number): string {
  const digits = String(Math.abs(minor)).padStart(MINOR_DIGITS + 1, '0');
  const whole = shown.format(BigInt(digits.slice(0, -MINOR_DIGITS))).replace(/\.\d+$/, '');
  return `${minor < 0 ? '−' : ''}¥${whole}.${digits.slice(-MINOR_DIGITS)}`;
}

/** `45.5` → `4550`; undefined when it is not money. */
export function minorUnits(text: string): number | undefined {
  const match = /^[¥$]?\s*(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text.trim().replace(/(?<=\d),(?=\d{3})/g, ''));
  if (!match) return undefined;
  const [, whole = '', cents = ''] = match;
  return Number(whole + cents.padEnd(MINOR_DIGITS, '0'));
}

/** `4550` → `45.50`, as it stands in a field. */
export function decimal(minor: number): string {
  return (minor / 100).toFixed(MINOR_DIGITS);
}
