import { parseAmount } from './amount.js';
import { type Language, language } from './i18n/language.js';
import { settings } from './settings.js';

const { currency } = settings;
/** How many decimals the currency has: 2 for CNY, 0 for JPY. Amounts are integers in minor units (fen, cents) on the wire. */
export const MINOR_DIGITS = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
  .maximumFractionDigits as number;

const formats = new Map<Language, Intl.NumberFormat>();

/** `4500` → `¥45.00`. Formats the digits as text: dividing a large balance by 100 would lose precision. */
export function formatMoney(minor: number): string {
  return formatOf(language.get())
    .format(toDecimal(minor) as `${number}`)
    .replace('-', '−');
}

function formatOf(locale: Language): Intl.NumberFormat {
  const format =
    formats.get(locale) ??
    new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  formats.set(locale, format);
  return format;
}

/** `45.5` → `4550`; undefined for anything that is not an amount. */
export function parseMoney(text: string): number | undefined {
  return parseAmount(text, MINOR_DIGITS);
}

/** `4550` → `45.50`, the value of an input. */
export function toDecimal(minor: number): string {
  const digits = String(Math.abs(minor)).padStart(MINOR_DIGITS + 1, '0');
  const whole = digits.slice(0, digits.length - MINOR_DIGITS);
  const sign = minor < 0 ? '-' : '';
  return MINOR_DIGITS === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-MINOR_DIGITS)}`;
}
