import { useCallback, useRef, useState } from 'react';
import { CLAIM_SECONDS_MAX } from '../../src/contract/staff.fields.js';
import { type OrderStatus, orderStatuses } from '../../src/contract/transitions.js';
import { markSeen } from '../bell.js';
import { hubNow } from '../clock.js';
import { EmptyState } from '../components/empty.state.js';
import { ErrorMessage, LoadError } from '../components/error.message.js';
import { useOrderCounts } from '../hooks/use.order.counts.js';
import { useDeskTexts } from '../i18n/desk.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { missedSales } from '../missed.js';
import { ordersOf } from '../orders.js';
import { linkTo, navigate, useRoute } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { unseen, unseenOf } from '../unseen.js';
import { claim } from './claim.js';
import { KeysDialog, ShipDialog } from './desk.dialogs.js';
import { DeskFilters, views } from './desk.filters.js';
import { useDeskKeys } from './desk.keys.js';
import { DeskList } from './desk.list.js';
import { SelectAll } from './select.all.js';
import { select, selection, useSelectedOrders } from './selection.js';
import { useTeam } from './team.js';
import { isQuery, useCurrentOrder, useDeskOrders } from './use.desk.orders.js';

/** The orders of all of a seller's stores as one list, worked from the top with the keyboard. */
export function OrderDesk() {
  const t = useDeskTexts();
  const { query } = useRoute();
  const view = views.find((name) => name === query.get('view')) ?? 'paid';
  const q = query.get('q') ?? '';
  const missed = useMissed(query.get('missed'));
  const counts = useOrderCounts();
  const unseenIds = new Set(unseenOf(useStore(unseen)));
  const selected = useStore(selection);
  const { orders, isLoading, hasMore, error, loadMore, reload } = useDeskOrders(view, { q, missed });
  const { index, current, setCurrent } = useCurrentOrder(orders);
  const [moves, setMoves] = useState(0);
  const [shipping, setShipping] = useState<string>();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [claimError, setClaimError] = useState<unknown>();
  const { hasStaff } = useTeam();
  const userId = useStore(session)?.userId;
  const searchField = useRef<HTMLInputElement>(null);
  const isWaiting = !isQuery(q) && !missed && (view === 'paid' || view === 'placed' || view === 'new');

  const moveTo = (at: number) => {
    const next = orders[Math.min(Math.max(at, 0), orders.length - 1)];
    if (next) setCurrent(next.orderId);
    setMoves((before) => before + 1);
  };
  const onSelect = useCallback((orderIds: string[], isSelected: boolean) => {
    markSeen(orderIds);
    select(orderIds, isSelected);
  }, []);
  const selectable = orders.filter(({ status }) => status === 'paid').map(({ orderId }) => orderId);
  const shipped = shipping === undefined ? undefined : ordersOf.seller.byId.get().get(shipping);

  useDeskKeys({
    '/': () => searchField.current?.focus(),
    j: () => moveTo(moves === 0 ? index : index + 1),
    k: () => moveTo(index - 1),
    x: () => current?.status === 'paid' && onSelect([current.orderId], !selected.has(current.orderId)),
    s: () => current?.allowed.includes('ship') && setShipping(current.orderId),
    c: () => current?.status === 'paid' && hasStaff && toggleClaim(current),
    p: () => print(),
    Enter: () => current && navigate('panel', 'orders', current.orderId),
    '?': () => setHelpOpen(true),
  });

  function toggleClaim(order: LoadedOrder): void {
    setClaimError(undefined);
    const isMine = order.claim?.by === userId && Date.parse(order.claim?.until ?? '') > hubNow();
    claim(order, isMine ? 0 : CLAIM_SECONDS_MAX).catch(setClaimError);
  }

  function print(): void {
    if (selected.size === 0 && current) onSelect([current.orderId], true);
    navigate('panel', 'slips');
  }

  return (
    <>
      <DeskFilters
        {...{ view: missed ? undefined : view, q, counts }}
        newCount={unseenIds.size}
        searchRef={searchField}
      />
      <div className="desk-head">
        {selectable.length > 0 ? (
          <SelectAll
            {...{ selected, ids: selectable, onSelect: select, disabled: isWaiting && hasMore }}
            label={t.selectAll(selectable.length)}
          />
        ) : (
          <span />
        )}
        <p className="quiet" role="status">
          {isQuery(q) && t.searchResults(q)}
          {isWaiting && hasMore && counts && t.loadingOrders(orders.length, counts[view === 'new' ? 'paid' : view])}
        </p>
        <button type="button" className="quiet-button" aria-keyshortcuts="?" onClick={() => setHelpOpen(true)}>
          {t.keysButton}
        </button>
      </div>
      {error !== undefined && <LoadError error={error} retry={reload} />}
      {claimError !== undefined && <ErrorMessage error={claimError} />}
      <DeskEmpty q={q} isShown={orders.length === 0 && !isLoading && error === undefined} />
      <DeskList
        key={`${view} ${q} ${missed}`}
        {...{ orders, index, moves, selected, unseenIds, onSelect }}
        onCurrent={setCurrent}
        onShip={setShipping}
        onNearEnd={!isWaiting && hasMore && !isLoading ? loadMore : undefined}
      />
      <Loading isShown={isLoading && orders.length === 0} />
      <SelectionBar />
      {shipped && (
        <ShipDialog
          order={shipped}
          onClose={() => setShipping(undefined)}
          onSent={() => {
            setShipping(undefined);
            moveTo(orders.findIndex(({ orderId }) => orderId === shipped.orderId) + 1);
          }}
        />
      )}
      {isHelpOpen && <KeysDialog onClose={() => setHelpOpen(false)} />}
    </>
  );
}

/** The status in the address, as long as missed orders are known: they are of this page's life. */
function useMissed(status: string | null): OrderStatus | undefined {
  const isKnown = useStore(missedSales) !== null;
  return isKnown ? orderStatuses.find((name) => name === status) : undefined;
}

function Loading({ isShown }: { isShown: boolean }) {
  const t = useTranslations();
  return isShown ? <p className="quiet">{t.loading}</p> : null;
}

function DeskEmpty({ q, isShown }: { q: string; isShown: boolean }) {
  const t = useDeskTexts();
  if (!isShown) return null;
  return (
    <EmptyState icon="orders">
      <p>{isQuery(q) ? t.noResults(q) : t.none}</p>
    </EmptyState>
  );
}

/** What can be done with the selected orders, in sight while there are some. */
function SelectionBar() {
  const t = useDeskTexts();
  const count = useSelectedOrders().length;
  if (count === 0) return null;
  return (
    <section className="card selection-bar" aria-label={t.selected(count)}>
      <span role="status">{t.selected(count)}</span>
      <a className="button" href={linkTo('panel', 'ship')}>
        {t.shipMany(count)}
      </a>
      <a className="button secondary" href={linkTo('panel', 'slips')}>
        {t.slips}
      </a>
      <a className="button secondary" href={linkTo('panel', 'picklist')}>
        {t.pickList}
      </a>
      <button type="button" className="quiet-button" onClick={() => selection.set(new Set())}>
        {t.clear}
      </button>
    </section>
  );
}
