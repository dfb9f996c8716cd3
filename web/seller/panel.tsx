import { useState } from 'react';
import { PAGE_LIMIT_MAX } from '../../src/contract/fields.js';
import type { StoreView } from '../../src/contract/stores.js';
import { LoadError } from '../components/error.message.js';
import { useRequest } from '../hooks/use.request.js';
import { request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { readAll } from '../pages.js';
import { linkTo } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { Bell } from './bell.js';
import { Board } from './board.js';
import { Import } from './import.js';
import { LowStock } from './low.stock.list.js';
import { OpenStore } from './open.store.js';
import { Shelf } from './shelf.js';
import { TodayChart } from './today.chart.js';

const sections = ['board', 'shelf', 'import'] as const;

/** The seller's screen, made to stay open all day. */
export function Panel({ section = 'board' }: { section?: string | undefined }) {
  const t = useTranslations();
  const owner = useStore(session)?.userId ?? '';
  const {
    data: stores,
    error,
    reload,
  } = useRequest(owner, () => readAll((after) => request('stores', { owner, limit: PAGE_LIMIT_MAX, ...after })));
  const [chosen, setChosen] = useState<string>();
  if (error !== undefined) return <LoadError error={error} retry={reload} />;
  if (!stores) return <p className="quiet">{t.loading}</p>;
  const store = stores.find(({ storeId }) => storeId === chosen) ?? stores[0];
  if (!store) return <OpenStore onOpened={reload} />;
  return (
    <>
      <div className="page-head panel-head">
        <h1>{store.name ?? store.storeId}</h1>
        {stores.length > 1 && <StoreSelect stores={stores} store={store} onChoose={setChosen} />}
        <nav className="filters" aria-label={t.panel.title}>
          {sections.map((name) => (
            <a key={name} href={linkTo('panel', name)} aria-current={name === section ? 'page' : undefined}>
              {t.panel.sections[name]}
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

interface StoreSelectProps {
  stores: StoreView[];
  store: StoreView;
  onChoose: (storeId: string) => void;
}

function StoreSelect({ stores, store, onChoose }: StoreSelectProps) {
  const t = useTranslations().panel;
  return (
    <select aria-label={t.chooseStore} value={store.storeId} onChange={({ target }) => onChoose(target.value)}>
      {stores.map(({ storeId, name }) => (
        <option key={storeId} value={storeId}>
          {name ?? storeId}
        </option>
      ))}
    </select>
  );
}
