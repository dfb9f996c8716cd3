import type { BookView } from '../../src/contract/stores.js';

type Details = NonNullable<BookView['details']>;

/** Stands for a line break within a value, because each detail takes one line. */
const LINE_BREAK = '↵';

/** Formats details for editing: `pages: 302`, one per line. */
export function formatDetails(details: Details = {}): string {
  return Object.entries(details).map(formatDetail).join('\n');
}

/**
 * Parses edited details. A line that equals its formatted original keeps the original value, so that a string of digits does
 * not become a number.
 */
export function parseDetails(text: string, before: Details = {}): Details {
  const unchanged = new Map(Object.entries(before).map((detail) => [formatDetail(detail), detail]));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(lines.map((line) => unchanged.get(line) ?? parseDetail(line)));
}

function formatDetail([name, value]: [string, string | number | boolean]): string {
  return `${name}: ${String(value).replace(/\r?\n/g, LINE_BREAK)}`;
}

function parseDetail(line: string): [string, string | number | boolean] {
  const colon = line.search(/[:：]/);
  if (colon === -1) return [line.trim(), ''];
  return [line.slice(0, colon).trim(), parseValue(line.slice(colon + 1).trim())];
}

/** Text as it is, but `true`, `false` and canonical numbers by their value. */
export function parseValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  // Only canonical numbers: `007` stays a string.
  if (text !== '' && String(Number(text)) === text && Number.isFinite(Number(text))) return Number(text);
  return text.replaceAll(LINE_BREAK, '\n');
}
