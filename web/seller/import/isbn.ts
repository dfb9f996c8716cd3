/** An ISBN without hyphens, spaces and what spreadsheets wrap it in: `="978-7-5366-9293-0"` → `9787536692930`. */
export function plainIsbn(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/^ISBN(?:-1[03])?[:\s]*/i, '')
    .replace(/[\s\-‐-―]/gu, '')
    .toUpperCase();
}

export function isIsbn(text: string): boolean {
  return /^(?:97[89]\d{10}|\d{9}[\dX])$/.test(plainIsbn(text));
}

/** Spreadsheets show a long number as `9.78754E+12`, and save it so: its digits are lost. */
export function isRoundedIsbn(text: string): boolean {
  return /^\d[.,]\d+E\+?\d+$/i.test(text.trim());
}

/** Equal for the 10-digit and the 13-digit form of one ISBN. */
export function isbnKey(text: string): string {
  const plain = plainIsbn(text);
  if (!/^\d{9}[\dX]$/.test(plain)) return plain;
  const digits = `978${plain.slice(0, 9)}`;
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
