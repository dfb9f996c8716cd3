import { type Ref, useEffect, useState } from 'react';
import type { StatusCounts } from '../../src/contract/finding.js';
import { ORDER_QUERY_CHARACTERS_MAX } from '../../src/contract/order.filters.js';
import { useDeskTexts } from '../i18n/desk.js';
import { setQuery } from '../route.js';
import type { DeskView } from './use.desk.orders.js';

/** The search is sent after a pause in typing. */
const DEBOUNCE_MS = 250;

export const views = ['paid', 'new', 'placed', 'shipped', 'received', 'cancelled'] as const;

interface DeskFiltersProps {
  /** None where missed orders are shown. */
  view: DeskView | undefined;
  q: string;
  counts: StatusCounts | undefined;
  newCount: number;
  searchRef: Ref<HTMLInputElement>;
}

/** The statuses with their exact counts, and a search over all of them. */
export function DeskFilters({ view, q, counts, newCount, searchRef }: DeskFiltersProps) {
  const t = useDeskTexts();
  return (
    <div className="desk-filters">
      <DeskSearch {...{ q, view, searchRef }} />
      <nav className="filters" aria-label={t.viewsLabel}>
        {views.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={q === '' && name === view}
            onClick={() => setQuery({ view: name === 'paid' ? '' : name })}
          >
            {t.views[name]} <span className="number">{name === 'new' ? newCount : (counts?.[name] ?? '…')}</span>
          </button>
        ))}
      </nav>
    </div>
  );
}

function DeskSearch({ q, view, searchRef }: Pick<DeskFiltersProps, 'q' | 'view' | 'searchRef'>) {
  const t = useDeskTexts();
  const [text, setText] = useState(q);
  useEffect(() => {
    const typed = text.trim();
    if (typed === q) return;
    const timer = setTimeout(() => setQuery({ view: view === 'paid' ? '' : (view ?? ''), q: typed }), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text, q, view]);
  // A link or the browser's back button may change the query: show it in the input.
  useEffect(() => setText((typed) => (typed.trim() === q ? typed : q)), [q]);
  return (
    <search className="search">
      <input
        type="search"
        ref={searchRef}
        aria-label={t.search}
        placeholder={t.searchHint}
        aria-keyshortcuts="/"
        value={text}
        maxLength={ORDER_QUERY_CHARACTERS_MAX}
        onChange={({ target }) => setText(target.value)}
      />
    </search>
  );
}
