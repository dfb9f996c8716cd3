import { useEffect } from 'react';
import type { StoreView } from '../../src/contract/stores.js';
import { useGradualCount } from '../hooks/use.gradual.count.js';
import { useTranslations } from '../i18n/language.js';
import { linkTo } from '../route.js';
import { useStore } from '../store.js';
import { lowBooks, watchLowStock } from './low.stock.js';

/** The books to restock soon. */
export function LowStock({ stores, onChoose }: { stores: StoreView[]; onChoose: (storeId: string) => void }) {
  const t = useTranslations().panel;
  const books = useStore(lowBooks);
  const rendered = useGradualCount(books.length);
  const ids = stores.map(({ storeId }) => storeId).join('\n');
  useEffect(() => watchLowStock(ids.split('\n')), [ids]);
  return (
    <section className="card low-stock" aria-label={t.lowStock}>
      <h2>
        {t.lowStock} <span className="count">{books.length}</span>
      </h2>
      <ul aria-live="polite">
        {books.slice(0, rendered).map(({ storeId, bookId, title, stock }) => (
          <li key={`${storeId}/${bookId}`}>
            <a href={`${linkTo('panel', 'shelf')}?q=${encodeURIComponent(title)}`} onClick={() => onChoose(storeId)}>
              {title}
            </a>{' '}
            <span className={stock === 0 ? 'sold-out' : 'few'}>{t.low(stock)}</span>
          </li>
        ))}
      </ul>
      {books.length === 0 && <p className="quiet">{t.empty}</p>}
    </section>
  );
}
