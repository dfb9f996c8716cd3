import { useEffect } from 'react';
import type { StoreView } from '../../src/contract/stores.js';
import { to } from '../route.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';
import { lowBooks, watchStock } from './low.stock.js';

/** What must be bought in soon. */
export function LowStock({ stores }: { stores: StoreView[] }) {
  const words = useWords().panel;
  const books = useStore(lowBooks);
  const ids = stores.map(({ storeId }) => storeId).join('\n');
  useEffect(() => watchStock(ids.split('\n')), [ids]);
  return (
    <section className="card low-stock" aria-label={words.lowStock}>
      <h2>{words.lowStock}</h2>
      <ul aria-live="polite">
        {books.map(({ storeId, bookId, title, stock }) => (
          <li key={`${storeId}/${bookId}`}>
            <a href={to('panel', 'shelf')} className={stock === 0 ? 'sold-out' : ''}>
              {words.low(title, stock)}
            </a>
          </li>
        ))}
      </ul>
      {books.length === 0 && <p className="quiet">{words.nothing}</p>}
    </section>
  );
}
