import type { DecimalMark } from '../../amount.js';

/** How a row of a table is wrong as such, whatever its cells mean. */
export type ShapeProblem = 'tooManyCells' | 'openQuote' | 'notObject';

export interface TableRow {
  /** Where the row begins: the 1-based line of a text, or the position in a JSON array. */
  line: number;
  cells: unknown[];
  shape?: ShapeProblem;
}

/** The programs whose exports are known by their columns. */
export type TableFormat = 'shopify' | 'goodreads' | 'isbns' | 'plain';

export interface Table {
  format: TableFormat;
  columns: string[];
  rows: TableRow[];
  /** Undefined for JSON. */
  separator?: string;
  /** The decimal mark of ambiguous amounts. */
  decimalMark: DecimalMark;
  /** Rows that are for sale nowhere, such as drafts. */
  leftOut: number;
}

/** Rows processed without a break stay well below what a person notices. */
const SLICE_MS = 15;

/** Maps a long list in slices, so that the page answers between them. Aborts with the signal's reason. */
export async function mapInSlices<In, Out>(
  items: readonly In[],
  map: (item: In) => Out,
  signal?: AbortSignal,
): Promise<Out[]> {
  const mapped: Out[] = [];
  let until = performance.now() + SLICE_MS;
  for (const item of items) {
    mapped.push(map(item));
    if (performance.now() < until) continue;
    await nextTask();
    signal?.throwIfAborted();
    until = performance.now() + SLICE_MS;
  }
  return mapped;
}

/** Resolves in a task of its own. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
