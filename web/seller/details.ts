import type { BookView } from '../../src/contract/stores.js';

type Details = NonNullable<BookView['details']>;

/** What stands for a line break within a text, as each detail is written on a line of its own. */
const LINE_BREAK = '↵';

/** Details as a person writes them: `pages: 302`, each on its line. */
export function writeDetails(details: Details = {}): string {
  return Object.entries(details).map(writeDetail).join('\n');
}

/** Reads them back. What was not touched stays what it was: a text of digits does not become a number. */
export function readDetails(text: string, before: Details = {}): Details {
  const untouched = new Map(Object.entries(before).map((detail) => [writeDetail(detail), detail]));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(lines.map((line) => untouched.get(line) ?? readDetail(line)));
}

function writeDetail([name, value]: [string, string | number | boolean]): string {
  return `${name}: ${String(value).replace(/\r?\n/g, LINE_BREAK)}`;
}

function readDetail(line: string): [string, string | number | boolean] {
  const colon = line.search(/[:：]/);
  if (colon === -1) return [line.trim(), ''];
  return [line.slice(0, colon).trim(), readValue(line.slice(colon + 1).trim())];
}

function readValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  // Not the number of a text like `007`, which is more than its number.
  if (text !== '' && String(Number(text)) === text && Number.isFinite(Number(text))) return Number(text);
  return text.replaceAll(LINE_BREAK, '\n');
}
