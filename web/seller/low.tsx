import { useEffect } from 'react';
import type { StoreView } from '../../src/contract/stores.js';
import { to } from '../route.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';
import { LOW_MAX, lowBooks, watchStock } from './low.stock.js';

/** What must be bought in soon. */
export function LowStock({ stores, onChoose }: { stores: StoreView[]; onChoose: (storeId: string) => void }) {
  const words = useWords().panel;
  const books = useStore(lowBooks);
  const ids = stores.map(({ storeId }) => storeId).join('\n');
  useEffect(() => watchStock(ids.split('\n')), [ids]);
  return (
    <section className="card low-stock" aria-label={words.lowStock}>
      <h2>
        {words.lowStock} <span className="count">{books.length < LOW_MAX ? books.length : words.atLeast(LOW_MAX)}</span>
      </h2>
      <ul aria-live="polite">
        {books.map(({ storeId, bookId, title, stock }) => (
          <li key={`${storeId}/${bookId}`}>
            <a href={`${to('panel', 'shelf')}?q=${encodeURIComponent(title)}`} onClick={() => onChoose(storeId)}>
              {title}
            </a>{' '}
            <span className={stock === 0 ? 'sold-out' : 'few'}>{words.low(stock)}</span>
          </li>
        ))}
      </ul>
      {books.length === 0 && <p className="quiet">{words.nothing}</p>}
    </section>
  );
}
