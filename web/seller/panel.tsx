import { useState } from 'react';
import type { StoreView } from '../../src/contract/stores.js';
import { ask } from '../hub.js';
import { Unread } from '../parts/notice.js';
import { useReading } from '../parts/reading.js';
import { to } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';
import { Bell } from './bell.js';
import { Board } from './board.js';
import { Import } from './import.js';
import { LowStock } from './low.js';
import { OpenStore } from './open.js';
import { Shelf } from './shelf.js';
import { TodayChart } from './today.chart.js';

const sections = ['board', 'shelf', 'import'] as const;

/** What a seller keeps open all day. */
export function Panel({ section = 'board' }: { section?: string | undefined }) {
  const words = useWords();
  const owner = useStore(session)?.userId ?? '';
  const { value, error, again } = useReading(owner, () => ask('stores', { owner, limit: 100 }));
  const [chosen, setChosen] = useState<string>();
  if (error !== undefined) return <Unread error={error} again={again} />;
  if (!value) return <p className="quiet">{words.loading}</p>;
  const stores = value.items;
  const store = stores.find(({ storeId }) => storeId === chosen) ?? stores[0];
  if (!store) return <OpenStore onOpened={again} />;
  return (
    <>
      <div className="page-head panel-head">
        <h1>{store.name ?? store.storeId}</h1>
        {stores.length > 1 && <WhichStore stores={stores} store={store} onChoose={setChosen} />}
        <nav className="filters" aria-label={words.panel.title}>
          {sections.map((name) => (
            <a key={name} href={to('panel', name)} aria-current={name === section ? 'page' : undefined}>
              {words.panel.sections[name]}
            </a>
          ))}
        </nav>
        <Bell />
      </div>
      {section === 'shelf' && <Shelf key={store.storeId} storeId={store.storeId} />}
      {section === 'import' && <Import storeId={store.storeId} />}
      {section === 'board' && (
        <>
          <div className="two glance">
            <TodayChart />
            <LowStock stores={stores} onChoose={setChosen} />
          </div>
          <Board />
        </>
      )}
    </>
  );
}

interface WhichStoreProps {
  stores: StoreView[];
  store: StoreView;
  onChoose: (storeId: string) => void;
}

function WhichStore({ stores, store, onChoose }: WhichStoreProps) {
  const words = useWords().panel;
  return (
    <select aria-label={words.which} value={store.storeId} onChange={({ target }) => onChoose(target.value)}>
      {stores.map(({ storeId, name }) => (
        <option key={storeId} value={storeId}>
          {name ?? storeId}
        </option>
      ))}
    </select>
  );
}
