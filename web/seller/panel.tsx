import '../style/panel.css';
import '../style/desk.css';
import { lazy, Suspense, useState } from 'react';
import { PAGE_LIMIT_MAX } from '../../src/contract/fields.js';
import type { Right } from '../../src/contract/rights.js';
import type { StoreView } from '../../src/contract/stores.js';
import { useRequest } from '../../src/react/use.request.js';
import { LoadError } from '../components/error.message.js';
import { request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { readAll } from '../pages.js';
import { screenOf } from '../persistently.js';
import { linkTo } from '../route.js';
import { useAccount } from '../session.js';
import { Bell } from './bell.js';
import { Board } from './board.js';
import { OrderDesk } from './desk.js';
import { ImportStatus } from './import/import.status.js';
import { LowStock } from './low.stock.list.js';
import { OpenStore } from './open.store.js';
import { SellerOrderPage } from './order.js';
import { Missed, Proof } from './proof.js';
import { Shelf } from './shelf.js';
import { ShipMany } from './ship.many.js';
import { TeamProvider, useTeam } from './team.js';
import { TodayChart } from './today.chart.js';
import { useClaims } from './use.claims.js';
import { ChooseSeller, NoLongerFor, WorkFor } from './work.for.js';

const sections = ['orders', 'board', 'shelf', 'import', 'reports', 'settings'] as const;
const rightOf: Partial<Record<(typeof sections)[number], Right>> = {
  shelf: 'stock',
  import: 'stock',
  reports: 'money',
};

/** Loaded by those who print. */
const loadPaper = () => screenOf(() => import('./paper.js'));
const PackingSlips = lazy(async () => ({ default: (await loadPaper()).PackingSlips }));
const PickList = lazy(async () => ({ default: (await loadPaper()).PickList }));
/** With its parser of tables, which the other screens do not need. */
const ImportPage = lazy(async () => {
  return { default: (await screenOf(() => import('./import/import.page.js'))).ImportPage };
});

interface PanelProps {
  section?: string | undefined;
  item?: string | undefined;
}

const Settings = lazy(async () => {
  return { default: (await screenOf(() => import('./settings/settings.page.js'))).Settings };
});

const Reports = lazy(async () => {
  return { default: (await screenOf(() => import('./report/report.page.js'))).Reports };
});

/** The seller's screen, made to stay open all day. */
export function Panel(props: PanelProps) {
  return (
    <TeamProvider>
      <NoLongerFor />
      <PanelScreen {...props} />
    </TeamProvider>
  );
}

function PanelScreen({ section = 'orders', item }: PanelProps) {
  const t = useTranslations();
  const owner = useAccount();
  const { hasStaff, isMember, rights } = useTeam();
  useClaims(hasStaff);
  const canOpen = (name: (typeof sections)[number]) => {
    const right = rightOf[name];
    return right === undefined || rights.has(right);
  };
  const {
    data: stores,
    error,
    reload,
  } = useRequest(owner, () => readAll((after) => request('stores', { owner, limit: PAGE_LIMIT_MAX, ...after })));
  const [chosen, setChosen] = useState<string>();
  if (section === 'orders' && item !== undefined) return <SellerOrderPage key={item} orderId={item} />;
  if (section === 'ship') return <ShipMany />;
  if (section === 'slips') return <PackingSlips />;
  if (section === 'picklist') return <PickList />;
  if (error !== undefined) return <LoadError error={error} retry={reload} />;
  if (!stores) return <p className="quiet">{t.loading}</p>;
  const store = stores.find(({ storeId }) => storeId === chosen) ?? stores[0];
  if (!store) {
    return (
      <>
        {isMember ? <WorkFor /> : <ChooseSeller />}
        <OpenStore onOpened={reload} />
      </>
    );
  }
  return (
    <>
      <div className="page-head panel-head">
        <h1>{store.name ?? store.storeId}</h1>
        <WorkFor />
        {stores.length > 1 && <StoreSelect stores={stores} store={store} onChoose={setChosen} />}
        <nav className="filters" aria-label={t.panel.title}>
          {sections.filter(canOpen).map((name) => (
            <a key={name} href={linkTo('panel', name)} aria-current={name === section ? 'page' : undefined}>
              {t.panel.sections[name]}
            </a>
          ))}
        </nav>
        <Bell />
      </div>
      <Missed />
      {(section === 'orders' || section === 'board') && <Proof />}
      <ImportStatus section={section} />
      {section === 'shelf' && <Shelf key={store.storeId} storeId={store.storeId} />}
      {section === 'import' && (
        <Suspense fallback={<p className="quiet">{t.loading}</p>}>
          <ImportPage key={store.storeId} storeId={store.storeId} />
        </Suspense>
      )}
      {section === 'reports' && (
        <Suspense fallback={<p className="quiet">{t.loading}</p>}>
          <Reports unit={item} hasSeveralStores={stores.length > 1} />
        </Suspense>
      )}
      {section === 'settings' && (
        <Suspense fallback={<p className="quiet">{t.loading}</p>}>
          <Settings key={store.storeId} part={item} store={store} onChanged={reload} />
        </Suspense>
      )}
      {section === 'orders' && <OrderDesk />}
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
