import { useState } from 'react';
import { useImportTexts } from '../../i18n/import.texts.js';
import { formatMoney } from '../../money.js';
import { bookFields, type ColumnTarget } from './columns.js';
import { type BookValues, parseRow } from './row.parser.js';
import type { Table } from './table.js';
import { rulesOf } from './use.plan.js';

const ROWS_SHOWN = 5;
const choices: ColumnTarget[] = [...bookFields, 'detail', 'none'];

interface ColumnPreviewProps {
  table: Table;
  targets: readonly ColumnTarget[];
  onChoose: (index: number, target: ColumnTarget) => void;
}

/** What each column becomes, by the first rows. Columns that are left out can be shown. */
export function ColumnPreview({ table, targets, onChoose }: ColumnPreviewProps) {
  const t = useImportTexts();
  const [showsAll, setShowsAll] = useState(false);
  const leftOut = targets.filter((target) => target === 'none').length;
  // A column stays where it is when it is chosen to be left out, so that a slip is easily mended.
  const [initiallyShown] = useState(() => targets.map((target) => target !== 'none'));
  const columns = table.columns
    .map((name, index) => ({ name: name || t.unnamed(index + 1), index, target: targets[index] ?? 'none' }))
    .filter(({ index, target }) => showsAll || target !== 'none' || initiallyShown[index]);
  const rows = table.rows.slice(0, ROWS_SHOWN);
  const rules = rulesOf(table, targets);
  return (
    <>
      <h3>{t.preview}</h3>
      <p className="quiet">{t.previewHint}</p>
      {/* Scrolls by keyboard too. */}
      <section className="scroll-x" aria-label={t.previewRegion} tabIndex={-1}>
        <table className="preview">
          <thead>
            <tr>
              {columns.map(({ name, index, target }) => (
                <th key={index} scope="col">
                  <span className="column-name">{name}</span>
                  <select
                    aria-label={t.becomes(name)}
                    value={target}
                    onChange={({ currentTarget }) => onChoose(index, currentTarget.value as ColumnTarget)}
                  >
                    {choices.map((choice) => (
                      <option key={choice} value={choice}>
                        {choice === 'detail' || choice === 'none' ? t.targets[choice] : t.fields[choice]}
                      </option>
                    ))}
                  </select>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.line}>
                {columns.map(({ index, target }) => {
                  const cell = row.cells[index];
                  const one = {
                    ...rules,
                    targets: targets.map((other, at) => (at === index ? other : ('none' as const))),
                  };
                  const { values, problems } = parseRow({ line: row.line, cells: row.cells }, one);
                  const text = target === 'none' || problems.length > 0 ? String(cell ?? '') : shownValue(values);
                  return (
                    <td
                      key={index}
                      className={problems.length > 0 ? 'field-error' : target === 'none' ? 'quiet' : undefined}
                    >
                      <span className="clip">{text}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {(leftOut > 0 || showsAll) && (
        <p>
          <button type="button" className="link" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? t.hideLeftOut : t.showLeftOut(leftOut)}
          </button>
        </p>
      )}
    </>
  );
}

/** The one value that a cell became. */
function shownValue(values: BookValues): string {
  const [entry] = Object.entries(values);
  if (!entry) return '';
  const [name, value] = entry as [string, unknown];
  if (name === 'price') return formatMoney(value as number);
  if (Array.isArray(value)) return value.join(', ');
  if (name !== 'details') return String(value);
  const details = Object.entries(value as object);
  return details.length === 1
    ? String(details[0]?.[1])
    : details.map(([key, content]) => `${key}: ${content}`).join(', ');
}
