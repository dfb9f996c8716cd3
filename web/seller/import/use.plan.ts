import { useCallback, useMemo, useState } from 'react';
import { PAGE_LIMIT_MAX } from '../../../src/contract/fields.js';
import { currencyMarkOf } from '../../amount.js';
import { useComputed } from '../../hooks/use.computed.js';
import { request } from '../../hub.js';
import { MINOR_DIGITS } from '../../money.js';
import { readAll } from '../../pages.js';
import { completeFromMarket } from './catalog.js';
import { type ColumnTarget, mapColumns } from './columns.js';
import { type Defaults, type PlannedKind, type PlannedRow, Planner, ShelfIndex } from './comparison.js';
import { type ParsedRow, parseRow, type RowRules } from './row.parser.js';
import { mapInSlices, type Table, type TableRow } from './table.js';
import { readTable } from './table.reader.js';

/** What an import of a table would do. */
export interface Plan {
  rows: PlannedRow[];
  counts: Record<PlannedKind, number>;
  /** The currency signs that the prices carry. */
  currencyMarks: string[];
}

/** Reads the table of a text. The value is null for JSON that is not an array. */
export function useTable(text: string | undefined, separator: string | undefined) {
  return useComputed(
    useCallback(async () => {
      return text === undefined ? undefined : ((await readTable(text, separator)) ?? null);
    }, [text, separator]),
  );
}

/** What each column becomes: guessed from its name until the user chooses. */
export function useTargets(table: Table | undefined): [ColumnTarget[], (index: number, target: ColumnTarget) => void] {
  const [chosen, setChosen] = useState<{ table: Table; targets: ColumnTarget[] }>();
  const guessed = useMemo(() => (table ? mapColumns(table) : []), [table]);
  const targets = table && chosen?.table === table ? chosen.targets : guessed;
  const choose = (index: number, target: ColumnTarget) =>
    table && setChosen({ table, targets: targets.map((other, position) => (position === index ? target : other)) });
  return [targets, choose];
}

export function rulesOf(table: Table, targets: readonly ColumnTarget[]): RowRules {
  return { columns: table.columns, targets, minorDigits: MINOR_DIGITS, decimalMark: table.decimalMark };
}

interface PlanRequest extends Defaults {
  storeId: string;
  table: Table | undefined;
  targets: readonly ColumnTarget[];
  /** Changes when the shelf has to be read again. */
  generation: string;
}

/** Compares the table with the store's shelf, in slices that leave the page responsive. */
export function usePlan({ storeId, table, targets, generation, price, stock }: PlanRequest) {
  const shelf = useComputed(
    useCallback(async () => {
      const books = await readAll((after) => request('storeBooks', { storeId, limit: PAGE_LIMIT_MAX, ...after }));
      return { generation, index: new ShelfIndex(books) };
    }, [storeId, generation]),
  );
  const index = shelf.value?.generation === generation ? shelf.value.index : undefined;
  const plan = useComputed(
    useCallback(
      async (signal: AbortSignal): Promise<Plan | undefined> => {
        if (!table || !index) return undefined;
        const parsed = await parseRows(table, targets, signal);
        const completed = await completeFromMarket(parsed, index, signal);
        const planner = new Planner(storeId, index, { price, stock });
        const rows = await mapInSlices(completed, (row) => planner.plan(row), signal);
        return { rows, counts: countKinds(rows), currencyMarks: await currencyMarks(table, targets, signal) };
      },
      [storeId, table, targets, index, price, stock],
    ),
  );
  return { plan: plan.value, isBusy: plan.isBusy || shelf.isBusy, error: shelf.error ?? plan.error };
}

function parseRows(table: Table, targets: readonly ColumnTarget[], signal: AbortSignal): Promise<ParsedRow[]> {
  const rules = rulesOf(table, targets);
  return mapInSlices(table.rows, (row) => parseRow(row, rules), signal);
}

function countKinds(rows: readonly PlannedRow[]): Record<PlannedKind, number> {
  const counts = { new: 0, changed: 0, unchanged: 0, toFix: 0 };
  for (const { kind } of rows) counts[kind]++;
  return counts;
}

async function currencyMarks(table: Table, targets: readonly ColumnTarget[], signal: AbortSignal): Promise<string[]> {
  const prices = targets.flatMap((target, index) => (target === 'price' ? [index] : []));
  const marksOf = ({ cells }: TableRow) => prices.map((index) => currencyMarkOf(String(cells[index] ?? '')));
  const marks = (await mapInSlices(table.rows, marksOf, signal)).flat();
  return [...new Set(marks.filter((mark) => mark !== undefined))];
}
