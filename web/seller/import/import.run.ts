import { newKey } from '../../../src/client/retry.js';
import { errorText } from '../../i18n/language.js';
import { identityOf, session } from '../../session.js';
import { Store } from '../../store.js';
import { ChangedMeanwhile, type RowToWrite, type UndoStep, undoStep, writeRow } from './book.writer.js';
import type { PlannedRow } from './comparison.js';
import { clearSaved, readSaved, save, saveSoon } from './import.storage.js';
import type { RowProblem } from './row.parser.js';

/** Rows being written at a time: fast, without crowding out other users. */
const CONCURRENCY = 4;

export interface ImportRun {
  id: string;
  userId: string;
  storeId: string;
  fileName: string;
  /** `interrupted`: the page was loaded again, and the rows that were left are gone. */
  state: 'running' | 'stopped' | 'done' | 'interrupted' | 'undoing' | 'undone';
  total: number;
  done: number;
  added: number;
  updated: number;
  toFix: number;
  /** Of an undo: how many books it is about, those taken back, and those that kept a value. */
  toUndo: number;
  undone: number;
  kept: number;
}

export interface RowsToFix {
  columns: readonly string[];
  rows: readonly RowToFix[];
}

export type RowToFix = Extract<PlannedRow, { kind: 'toFix' }>;

/** Survives the screens, so that an import runs on while its user does other things. */
export const importRun = new Store<ImportRun | null>(null);
/** What the import leaves to its user: rows that could not be read, and those that the hub has rejected. */
export const rowsToFix = new Store<RowsToFix>({ columns: [], rows: [] });

let pending: RowToWrite[] = [];
let steps: UndoStep[] = [];
let working: Promise<void> = Promise.resolve();
/** Aborts requests when their user logs out. */
let abort = new AbortController();

/** Starts to write the rows of a comparison. `unreadable` are those that are not written. */
export function startImport(
  storeId: string,
  fileName: string,
  rows: readonly RowToWrite[],
  unreadable: RowsToFix,
): void {
  const userId = identityOf(session.get());
  const state = importRun.get()?.state;
  if (userId === '' || state === 'running' || state === 'undoing') return;
  pending = [...rows];
  steps = [];
  abort = new AbortController();
  rowsToFix.set(unreadable);
  const counts = { total: rows.length, done: 0, added: 0, updated: 0, toFix: unreadable.rows.length };
  const undoing = { toUndo: 0, undone: 0, kept: 0 };
  importRun.set({ id: newKey(), userId, storeId, fileName, state: 'running', ...counts, ...undoing });
  working = work();
}

/** Stops after the rows being written; what is written stays. */
export function stopImport(): void {
  if (importRun.get()?.state === 'running') change({ state: 'stopped' });
}

export async function continueImport(): Promise<void> {
  if (importRun.get()?.state !== 'stopped') return;
  change({ state: 'running' });
  await working;
  if (importRun.get()?.state === 'running') working = work();
}

/** Forgets an import that is over. */
export function dismissImport(): void {
  pending = [];
  steps = [];
  rowsToFix.set({ columns: [], rows: [] });
  importRun.set(null);
  clearSaved();
}

async function work(): Promise<void> {
  const { id } = importRun.get() ?? {};
  const { signal } = abort;
  await inParallel(async () => {
    while (importRun.get()?.state === 'running' && importRun.get()?.id === id) {
      const row = pending.shift();
      if (!row || !(await writeOne(row, `${id}-${row.row.line}`, signal))) return;
    }
  });
  if (signal.aborted || importRun.get()?.id !== id) return;
  if (importRun.get()?.state === 'running' && pending.length === 0) change({ state: 'done' });
  save(snapshot());
}

/** Returns whether the row is done, written or rejected. */
async function writeOne(row: RowToWrite, key: string, signal: AbortSignal): Promise<boolean> {
  const count = (name: 'added' | 'updated' | 'toFix') => {
    const run = importRun.get();
    if (run) change({ done: run.done + 1, [name]: run[name] + 1 });
  };
  try {
    const step = await writeRow(row, key, signal);
    steps.push(step);
    count(step.isNew ? 'added' : 'updated');
  } catch (error) {
    if (signal.aborted) return false;
    const rejected: RowToFix = { kind: 'toFix', row: row.row, problems: [problemOf(error)] };
    rowsToFix.update(({ columns, rows }) => ({ columns, rows: [...rows, rejected] }));
    count('toFix');
  }
  saveSoon(snapshot);
  return true;
}

function problemOf(error: unknown): RowProblem {
  if (error instanceof ChangedMeanwhile) return { path: '', code: 'changedMeanwhile' };
  return { path: '', code: 'rejected', text: errorText(error) };
}

/** Takes back what the import has written, as far as nobody has changed it since. */
export async function undoImport(): Promise<void> {
  const run = importRun.get();
  if (!run || run.state === 'running' || run.state === 'undoing') return;
  pending = [];
  change({ state: 'undoing' });
  await working;
  change({ toUndo: run.undone + run.kept + steps.length });
  const { signal } = abort;
  await inParallel(async () => {
    for (let step = steps.pop(); step && !signal.aborted; step = steps.pop()) {
      const isWhole = await undoStep(run.storeId, step, signal).catch(() => false);
      const { undone, kept } = importRun.get() ?? run;
      change({ undone: undone + Number(isWhole), kept: kept + Number(!isWhole) });
      saveSoon(snapshot);
    }
  });
  if (signal.aborted) return;
  change({ state: 'undone' });
  save(snapshot());
}

interface Snapshot {
  run: ImportRun | null;
  steps: UndoStep[];
}

function snapshot(): Snapshot {
  return { run: importRun.get(), steps };
}

async function inParallel(worker: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

function change(changes: Partial<ImportRun>): void {
  importRun.update((run) => run && { ...run, ...changes });
}

/** After a page load: says how far an import of this user came, which can still be undone. */
function restore(): void {
  const { run, steps: saved } = readSaved<Snapshot>() ?? {};
  if (!run || !saved || run.userId !== identityOf(session.get())) return;
  steps = saved;
  const isOver = run.state === 'done' || run.state === 'undone';
  importRun.set(isOver ? run : { ...run, state: 'interrupted' });
}

restore();
session.subscribe(() => {
  if (importRun.get() === null || importRun.get()?.userId === identityOf(session.get())) return;
  abort.abort();
  dismissImport();
});
