import { setTimeout as sleep } from 'node:timers/promises';
import type { Tx } from '../platform/database/database.js';
import type { Dialect } from '../platform/database/dialect.js';
import type { Condition } from '../platform/database/in.condition.js';
import type { BatchMode } from './batch.patience.js';
import type { HeldRows } from './held.rows.js';
import type { RowName } from './row.names.js';

/** While it looks for held rows, a batch looks again after so long: another hub's batch is over by then. */
const LOOK_AGAIN_MS = 15;
const LOOKS = 3;

/** Rows of one table to lock: the values of their key, and the names of those values and of the rows found. */
export interface RowSelection<Row, Value> {
  table: string;
  columns: string;
  values: readonly Value[];
  where(values: readonly Value[]): Condition;
  keyOf(value: Value): string;
  keyOfRow(row: Row): string;
}

/**
 * Locks the rows of one batch. It waits for rows, in the order of arrival as all hubs do, but not for those that are known to be
 * held; for none at all while it looks for those; and for all in a trial.
 */
export class RowLocker {
  /** Rows that exist and could not be locked. */
  readonly missed = new Set<RowName>();

  constructor(
    private readonly tx: Tx,
    private readonly dialect: Dialect,
    private readonly held: HeldRows,
    private readonly mode: BatchMode,
  ) {}

  async select<Row, Value>(selection: RowSelection<Row, Value>): Promise<Row[]> {
    const { values } = selection;
    if (this.mode === 'trial' || (this.mode !== 'look' && this.held.isEmpty))
      return this.query(selection, values, this.dialect.forUpdate);
    const nameOf = (value: Value): RowName => `${selection.table} ${selection.keyOf(value)}`;
    const isSkipped = (value: Value) => this.mode === 'look' || this.held.isHeld(nameOf(value));
    const [rows, others] = await Promise.all([
      this.query(
        selection,
        values.filter((value) => !isSkipped(value)),
        this.dialect.forUpdate,
      ),
      this.selectFree(selection, values.filter(isSkipped)),
    ]);
    return [...rows, ...others];
  }

  private async selectFree<Row, Value>(selection: RowSelection<Row, Value>, values: readonly Value[]): Promise<Row[]> {
    const nameOf = (key: string): RowName => `${selection.table} ${key}`;
    const locked: Row[] = [];
    let missing = values;
    for (let look = 1; missing.length > 0; look++) {
      const rows = await this.query(selection, missing, this.dialect.forUpdateSkipLocked);
      locked.push(...rows);
      this.held.free(rows.map((row) => nameOf(selection.keyOfRow(row))));
      missing = await this.existing(selection, without(missing, rows, selection));
      if (look === (this.mode === 'look' ? LOOKS : 1)) break;
      if (missing.length > 0) await sleep(LOOK_AGAIN_MS);
    }
    const names = missing.map((value) => nameOf(selection.keyOf(value)));
    this.held.found(selection.table, names);
    for (const name of names) this.missed.add(name);
    return locked;
  }

  /** Those values for which there is a row: what does not exist is not held. */
  private async existing<Row, Value>(
    selection: RowSelection<Row, Value>,
    values: readonly Value[],
  ): Promise<readonly Value[]> {
    const found = new Set((await this.query(selection, values, '')).map((row) => selection.keyOfRow(row)));
    return values.filter((value) => found.has(selection.keyOf(value)));
  }

  private async query<Row, Value>(
    { table, columns, where }: RowSelection<Row, Value>,
    values: readonly Value[],
    lock: string,
  ): Promise<Row[]> {
    if (values.length === 0) return [];
    const [condition, parameters] = where(values);
    return this.tx.query(`SELECT ${columns} FROM ${table} WHERE ${condition}${lock}`, parameters);
  }
}

function without<Row, Value>(
  values: readonly Value[],
  rows: readonly Row[],
  selection: RowSelection<Row, Value>,
): Value[] {
  const found = new Set(rows.map((row) => selection.keyOfRow(row)));
  return values.filter((value) => !found.has(selection.keyOf(value)));
}
