import Papa from 'papaparse';
import type { ImportTexts } from '../../i18n/en.import.js';
import type { RowToFix } from './import.run.js';
import { describeProblems } from './problem.text.js';

/**
 * The rows to fix as a table that can be corrected and imported again: what is wrong, then the table's own columns. Cells that
 * a spreadsheet would take for formulas are made harmless.
 */
export function fixTable(columns: readonly string[], rows: readonly RowToFix[], t: ImportTexts): string {
  const fields = [t.problemHead, ...columns];
  const data = rows.map(({ row, problems }) => [describeProblems(problems, t), ...row.cells.map(textOf)]);
  return Papa.unparse([fields, ...data], { escapeFormulae: true });
}

function textOf(cell: unknown): string {
  if (Array.isArray(cell)) return cell.join(', ');
  return typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : String(cell ?? '');
}
