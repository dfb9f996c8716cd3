/** Which character separates the decimals: English and Chinese write `1,234.50`, German writes `1.234,50`. */
export type DecimalMark = '.' | ',';

const CURRENCY_MARK =
  /^(?:[A-Z]{1,3}\s?)?\p{Sc}|^(?:[A-Z]{3}|RMB)(?=[\s\d])|\p{Sc}$|(?<=[\s\d])[A-Z]{3}$|(?<=\d)\s?[元圆円]$/u;
/** Spaces and apostrophes as thousands separators: `1 234,50`, `1'234.50`. */
const SPACED_GROUPS = /^\d{1,3}(?:[\s'’]\d{3})+(?=[.,]|$)/u;
const WHOLE_DIGITS_MAX = 12;

/** `￥４５．００` → `¥45.00`: full-width forms are what Chinese and Japanese keyboards type. In Shift JIS, `\\` is the yen sign. */
export function normalizeDigits(text: string): string {
  return text.normalize('NFKC').trim().replace(/^\\/, '¥');
}

/** The currency that an amount names: `€`, `US$`, `EUR`; undefined if it names none. */
export function currencyMarkOf(text: string): string | undefined {
  return CURRENCY_MARK.exec(normalizeDigits(text))?.[0].trim();
}

/**
 * Parses an amount into minor units: `45.5` → `4550`. A separator before exactly three digits separates thousands, unless the
 * table's other amounts (`mark`) show that it cannot. Returns undefined for what is no amount, or could be two.
 */
export function parseAmount(text: string, minorDigits: number, mark: DecimalMark = '.'): number | undefined {
  const plain = normalizeDigits(text)
    .replace(CURRENCY_MARK, '')
    .trim()
    .replace(SPACED_GROUPS, (groups) => groups.replace(/[\s'’]/gu, ''));
  if (!/^\d[\d.,]*$/.test(plain)) return undefined;
  const { whole, fraction } = split(plain, minorDigits, mark) ?? {};
  if (whole === undefined || fraction === undefined || whole.length > WHOLE_DIGITS_MAX) return undefined;
  // A currency without decimals is often exported with them: `1200.00`.
  const digits = minorDigits === 0 && /^0{1,2}$/.test(fraction) ? '' : fraction;
  return digits.length > minorDigits ? undefined : Number(whole + digits.padEnd(minorDigits, '0'));
}

/** The decimal mark that an amount shows beyond doubt: `12,50` shows a comma, `1.234` shows none. */
export function decimalMarkOf(text: string): DecimalMark | undefined {
  const plain = normalizeDigits(text);
  // By steps from the end, because a pattern would try each start of a long text.
  let end = plain.length;
  while (end > 0 && !isDigit(plain[end - 1])) end--;
  let start = end;
  while (isDigit(plain[start - 1])) start--;
  const mark = plain[start - 1];
  if (start === end || (mark !== '.' && mark !== ',')) return undefined;
  const before = plain.slice(0, start - 1);
  const grouping = before[Math.max(before.lastIndexOf('.'), before.lastIndexOf(','))];
  if (grouping !== undefined && grouping !== mark) return mark;
  return grouping === undefined && end - start <= 2 ? mark : undefined;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function split(plain: string, minorDigits: number, mark: DecimalMark): { whole: string; fraction: string } | undefined {
  const last = Math.max(plain.lastIndexOf('.'), plain.lastIndexOf(','));
  if (last === -1) return { whole: plain, fraction: '' };
  const separator = plain.charAt(last);
  const [before, after] = [plain.slice(0, last), plain.slice(last + 1)];
  const hasOther = /[.,]/.test(before.replaceAll(separator, ''));
  const isRepeated = before.includes(separator);
  const isGroup = !hasOther && after.length === 3 && (isRepeated || separator !== mark || minorDigits === 0);
  if (isGroup) return ungroup(plain, separator);
  if (isRepeated || after.length === 0) return undefined;
  if (after.length > Math.max(minorDigits, 2)) return undefined;
  const grouped = hasOther ? ungroup(before, separator === '.' ? ',' : '.') : { whole: before };
  return grouped && { whole: grouped.whole, fraction: after };
}

/** `1,234,567` → `1234567`; undefined if the groups are not of three digits. */
function ungroup(text: string, separator: string): { whole: string; fraction: string } | undefined {
  const [first = '', ...groups] = text.split(separator);
  const isGrouped = /^\d{1,3}$/.test(first) && groups.every((group) => /^\d{3}$/.test(group));
  return isGrouped ? { whole: first + groups.join(''), fraction: '' } : undefined;
}
