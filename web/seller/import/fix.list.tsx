import { useImportTexts } from '../../i18n/import.texts.js';
import { saveCsv } from '../save.file.js';
import { fixTable } from './fix.file.js';
import type { RowToFix } from './import.run.js';
import { describeProblems } from './problem.text.js';

/** Bounds the table; the file has them all. */
const ROWS_SHOWN = 100;

/** The rows that cannot be imported, with what is wrong, on the screen and as a file. */
export function FixList({ columns, rows }: { columns: readonly string[]; rows: readonly RowToFix[] }) {
  const t = useImportTexts();
  const shown = [...rows].sort((one, other) => one.row.line - other.row.line).slice(0, ROWS_SHOWN);
  return (
    <section aria-label={t.toFix}>
      <h3>{t.toFix}</h3>
      <table className="problems">
        <thead>
          <tr>
            <th scope="col">{t.line}</th>
            <th scope="col">{t.problemHead}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ row, problems }) => (
            <tr key={row.line}>
              <td>{t.number(row.line)}</td>
              <td>{describeProblems(problems, t)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && <p className="quiet">{t.shownOf(shown.length, rows.length)}</p>}
      <p className="actions">
        <button type="button" className="secondary" onClick={() => saveCsv(t.downloadName, fixTable(columns, rows, t))}>
          {t.download}
        </button>
      </p>
    </section>
  );
}
