import { HubError } from '../../../src/client/connect.js';
import { delay, retryDelayMs } from '../../../src/client/retry.js';
import type { BookView } from '../../../src/contract/stores.js';
import { request } from '../../hub.js';
import { type Changes, changesTo, type NewBook, type PlannedRow } from './comparison.js';

/** What takes a written row back. */
export interface UndoStep {
  bookId: string;
  isNew: boolean;
  /** The changed fields before and after the import; a field that was absent before is absent here. */
  before: Changes;
  after: Changes;
  addStock: number;
  /** The idempotency key of taking the copies back. */
  key: string;
}

/** The row's book is not, or no longer, what the comparison has seen. */
export class ChangedMeanwhile extends Error {}

export type RowToWrite = Extract<PlannedRow, { kind: 'new' | 'changed' }>;

/** Fields that the hub can empty again. */
const EMPTY: Changes = { tags: [], details: {} };

/**
 * Writes a row, and retries for as long as the hub cannot be reached. Safe to repeat with the same key after an abort, when it
 * is not known what has been written.
 */
export async function writeRow(row: RowToWrite, key: string, signal: AbortSignal): Promise<UndoStep> {
  if (row.kind === 'new') return addBook(row.book, key, signal);
  const { before, changes, addStock } = row;
  return changeBook(before, changes, addStock, key, signal);
}

async function addBook(book: NewBook, key: string, signal: AbortSignal): Promise<UndoStep> {
  const { storeId, bookId } = book;
  const step = { bookId, isNew: true, before: {}, after: {}, addStock: 0, key: `${key}-undo` };
  try {
    await untilAnswered(() => request('addBook', book, { signal }), signal);
    return step;
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'BOOK_EXISTS') throw error;
  }
  const existing = await request('book', { storeId, bookId }, { signal });
  const { bookId: _, storeId: __, stock, ...values } = book;
  const changes = changesTo(existing, values);
  // Its answer was lost, and the book was added all the same.
  if (existing.listed && existing.stock === stock && Object.keys(changes).length === 0) return step;
  // An unlisted book is in no list, so the comparison took it for a new one: it returns to the shelf.
  if (existing.listed) throw new ChangedMeanwhile();
  const relisted = await changeBook(existing, { ...changes, listed: true }, stock - existing.stock, key, signal);
  return { ...relisted, isNew: true };
}

async function changeBook(
  before: BookView,
  changes: Changes,
  addStock: number,
  key: string,
  signal: AbortSignal,
): Promise<UndoStep> {
  const { storeId, bookId } = before;
  const names = Object.keys(changes) as (keyof Changes)[];
  if (names.length > 0) {
    await untilAnswered(() => request('changeBook', { storeId, bookId, ...changes }, { signal }), signal);
  }
  if (addStock !== 0) await request('addStock', { storeId, bookId, add: addStock, key }, { signal });
  const former = { ...EMPTY, ...before };
  const kept = names.filter((name) => former[name] !== undefined);
  return {
    ...{ bookId, isNew: false, after: changes, addStock, key: `${key}-undo` },
    before: Object.fromEntries(kept.map((name) => [name, former[name]])),
  };
}

/**
 * Takes a written row back: a new book is unlisted, a changed one gets its former values where nobody has changed them since,
 * and the copies that came are taken off. Returns whether all of it could be.
 */
export async function undoStep(storeId: string, step: UndoStep, signal: AbortSignal): Promise<boolean> {
  const { bookId, isNew, before, after, addStock, key } = step;
  const current: Changes = { ...EMPTY, ...(await request('book', { storeId, bookId }, { signal })) };
  const names = Object.keys(after) as (keyof Changes)[];
  const restored = names.filter((name) => before[name] !== undefined && isEqual(current[name], after[name]));
  const changes = {
    ...Object.fromEntries(restored.map((name) => [name, before[name]])),
    ...(isNew ? { listed: false } : {}),
  };
  if (Object.keys(changes).length > 0) {
    await untilAnswered(() => request('changeBook', { storeId, bookId, ...changes }, { signal }), signal);
  }
  const isStockRestored = addStock === 0 || (await removeStock(storeId, bookId, addStock, key, signal));
  return (
    isStockRestored && (isNew || names.every((name) => restored.includes(name) || isEqual(current[name], before[name])))
  );
}

/** Copies that were sold meanwhile cannot be taken off. */
async function removeStock(storeId: string, bookId: string, count: number, key: string, signal: AbortSignal) {
  try {
    await request('addStock', { storeId, bookId, add: -count, key }, { signal });
    return true;
  } catch (error) {
    if (error instanceof HubError && error.code === 'OUT_OF_STOCK') return false;
    throw error;
  }
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The client library does not repeat requests without a key. These may be repeated: they set values. */
async function untilAnswered<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof HubError && error.retryable)) throw error;
      await delay(retryDelayMs(failures, error), signal);
    }
  }
}
