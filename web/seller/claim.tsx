import { useState } from 'react';
import type { Order } from '../../src/contract/orders.js';
import { CLAIM_SECONDS_MAX } from '../../src/contract/staff.fields.js';
import { formatTime } from '../clock.js';
import { ErrorMessage } from '../components/error.message.js';
import { hub } from '../hub.js';
import { useDeskTexts } from '../i18n/desk.js';
import type { LoadedOrder } from '../loaded.order.js';
import { ordersOf } from '../orders.js';
import { useTeam } from './team.js';
import { useClaim } from './use.claims.js';

/** Claims an order, or frees it. Who was quicker is shown, whatever the answer. */
export async function claim({ orderId }: Pick<Order, 'orderId'>, seconds: number): Promise<void> {
  try {
    ordersOf.seller.upsert(await hub().claim({ orderId, seconds }));
  } catch (error) {
    await ordersOf.seller.load(orderId).catch(() => undefined);
    throw error;
  }
}

/** On the page of an order to ship: who works on it, and a button to be the one. */
export function ClaimBar({ order }: { order: LoadedOrder }) {
  const t = useDeskTexts().team;
  const { hasStaff, isMember, rights } = useTeam();
  const current = useClaim(order);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (order.status !== 'paid' || !hasStaff || !rights.has('sell')) return null;
  const isOthers = current !== undefined && !current.isMine;
  const send = async (seconds: number) => {
    setBusy(true);
    setError(undefined);
    await claim(order, seconds).catch(setError);
    setBusy(false);
  };
  return (
    <div className="claim-bar no-print" data-claimed={isOthers ? 'other' : current && 'mine'}>
      <span role="status">
        {current && (current.isMine ? t.mine : t.claimed(current.by))(formatTime(current.until))}
      </span>
      {(!isOthers || !isMember) && (
        <button
          type="button"
          className="secondary small"
          disabled={isBusy}
          aria-busy={isBusy}
          onClick={() => send(current?.isMine ? 0 : CLAIM_SECONDS_MAX)}
        >
          {current?.isMine ? t.release : isOthers ? t.takeOver : t.claim}
        </button>
      )}
      {error !== undefined && <ErrorMessage error={error} />}
    </div>
  );
}

/** In a row of the list: who works on this order. */
export function ClaimMark({ order }: { order: LoadedOrder }) {
  const t = useDeskTexts().team;
  const current = useClaim(order);
  if (!current) return null;
  return (
    <span className={current.isMine ? 'claim-mark mine' : 'claim-mark'}>
      {current.isMine ? t.mineShort : t.claimedShort(current.by)}
    </span>
  );
}
