import type { BookView } from '../../../src/contract/stores.js';
import type { ImportTexts } from '../../i18n/en.import.js';
import { useImportTexts } from '../../i18n/import.texts.js';
import { formatMoney } from '../../money.js';
import { settings } from '../../settings.js';
import type { RowToWrite } from './book.writer.js';
import type { BookField } from './columns.js';
import type { Table } from './table.js';
import type { Plan } from './use.plan.js';

/** Bounds the list; the counts are exact. */
const ROWS_SHOWN = 20;
const TEXT_SHOWN = 60;
/** Signs that may stand for the hub's own currency, besides its code. */
const ownSigns: Readonly<Record<string, string>> = {
  CNY: '¥ 元 RMB CN¥',
  JPY: '¥ 円 圆',
  EUR: '€',
  USD: '$ US$',
  GBP: '£',
};

interface DifferenceProps {
  plan: Plan | undefined;
  table: Table;
  isBusy: boolean;
  /** While another import runs. */
  isDisabled: boolean;
  count: number;
  onStart: () => void;
}

/** What the import would change, and the button that does it. */
export function Difference({ plan, table, isBusy, isDisabled, count, onStart }: DifferenceProps) {
  const t = useImportTexts();
  const isReady = plan !== undefined && !isBusy;
  const { counts } = plan ?? {};
  const signs = `${settings.currency} ${ownSigns[settings.currency] ?? ''}`.split(' ');
  const foreign = (plan?.currencyMarks ?? []).filter((mark) => !signs.includes(mark));
  const names = ['changed', 'new', 'unchanged', 'toFix'] as const;
  return (
    <>
      <h3>{t.changes}</h3>
      {foreign.length > 0 && <p className="import-note">{t.foreignMoney(foreign.join(', '), settings.currency)}</p>}
      <p role="status" className="import-counts" aria-busy={!isReady}>
        {isReady && counts
          ? [
              ...names
                .filter((name) => counts[name] > 0 || name === 'changed' || name === 'new')
                .map((name) => t.counts[name](counts[name])),
              ...(table.leftOut > 0 ? [t.counts.leftOut(table.leftOut)] : []),
            ].join(' · ')
          : t.comparing}
      </p>
      {isReady && counts && count === 0 && counts.unchanged > 0 && counts.toFix === 0 && <p>{t.allUnchanged}</p>}
      {isReady && plan && count > 0 && <ChangeList plan={plan} count={count} />}
      <p className="actions">
        <button type="button" className="start" disabled={!isReady || isDisabled || count === 0} onClick={onStart}>
          {t.start(isReady ? count : 0)}
        </button>
      </p>
    </>
  );
}

function ChangeList({ plan, count }: { plan: Plan; count: number }) {
  const t = useImportTexts();
  const shown = firstToWrite(plan);
  return (
    <>
      <ul className="import-changes">
        {shown.map((row) => (
          <li key={row.row.line}>
            <strong>{row.kind === 'new' ? row.book.title : row.before.title}</strong>
            <span>{row.kind === 'new' ? describeNew(row, t) : describeChange(row, t)}</span>
          </li>
        ))}
      </ul>
      {count > shown.length && <p className="quiet">{t.shownOf(shown.length, count)}</p>}
    </>
  );
}

/** Updates first: they overwrite something. */
function firstToWrite({ rows }: Plan): RowToWrite[] {
  const ofKind = (kind: RowToWrite['kind']) =>
    rows.filter((row): row is RowToWrite => row.kind === kind).slice(0, ROWS_SHOWN);
  return [...ofKind('changed'), ...ofKind('new')].slice(0, ROWS_SHOWN);
}

function describeNew({ book }: Extract<RowToWrite, { kind: 'new' }>, t: ImportTexts): string {
  return [t.newBook, book.author, formatMoney(book.price), t.copies(book.stock)].filter(Boolean).join(' · ');
}

function describeChange(
  { before, changes, addStock }: Extract<RowToWrite, { kind: 'changed' }>,
  t: ImportTexts,
): string {
  const parts = Object.entries(changes).map(([name, value]) => {
    const former = before[name as keyof BookView];
    const label = name === 'details' ? t.targets.detail : t.fields[name as BookField];
    return `${label}: ${shown(name, former, t)} → ${shown(name, value, t)}`;
  });
  const stock =
    addStock === 0 ? [] : [`${t.fields.stock}: ${t.number(before.stock)} → ${t.number(before.stock + addStock)}`];
  return [...parts, ...stock].join(' · ');
}

function shown(name: string, value: unknown, t: ImportTexts): string {
  if (value === undefined) return t.none;
  if (name === 'price') return formatMoney(value as number);
  const text = Array.isArray(value)
    ? value.join(', ')
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, content]) => `${key} ${content}`)
          .join(', ')
      : String(value);
  return text === '' ? t.none : text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text;
}
