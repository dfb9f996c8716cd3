import { useEffect, useState } from 'react';
import { orderStatuses } from '../../src/contract/transitions.js';
import { formatTime, hubNow, useNow } from '../clock.js';
import { connectionStatus, hub } from '../hub.js';
import { useDeskTexts } from '../i18n/desk.js';
import { missedSales, missedWith } from '../missed.js';
import { linkTo } from '../route.js';
import { useStore } from '../store.js';

const CHECK_INTERVAL_MS = 10_000;
const A_SECOND_MS = 1_000;

interface Check {
  /** Every event up to this one has been received. */
  seq: number;
  at: number;
}

/** Asks the hub now and then for the room's latest event, and compares it with the latest that was received. */
function useCheck(): Check | undefined {
  const isLive = useStore(connectionStatus).state === 'live';
  const [check, setCheck] = useState<Check>();
  useEffect(() => {
    if (!isLive) return;
    let isOver = false;
    const ask = async () => {
      const { head } = await hub().read({ role: 'seller', after: hub().last.seller, limit: 1 });
      // Otherwise events are on their way, and the next check will do.
      if (!isOver && hub().last.seller >= head) setCheck({ seq: hub().last.seller, at: hubNow() });
    };
    // It fails where the session has ended, or without the right to read.
    const askQuietly = () => void ask().catch(() => undefined);
    askQuietly();
    const timer = setInterval(() => document.hidden || askQuietly(), CHECK_INTERVAL_MS);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [isLive]);
  return check;
}

/** Says how much of what has happened is on this page, and since when that is known. */
export function Proof() {
  const t = useDeskTexts().proof;
  const check = useCheck();
  const now = useNow();
  const isLive = useStore(connectionStatus).state === 'live';
  return (
    <p className="proof quiet">
      {check &&
        (isLive
          ? t.complete(check.seq, Math.max(0, Math.round((now - check.at) / A_SECOND_MS)))
          : t.wasComplete(check.seq, formatTime(new Date(check.at).toISOString())))}
    </p>
  );
}

/** After a break: what has changed meanwhile, with a link to these orders. */
export function Missed() {
  const t = useDeskTexts().proof;
  const missed = useStore(missedSales);
  const isLive = useStore(connectionStatus).state === 'live';
  const counts = orderStatuses
    .map((status) => ({ status, count: missedWith(status).length }))
    .filter(({ count }) => count > 0);
  return (
    <div role="status">
      {missed && isLive && (
        <p className="card missed">
          {missed.since === undefined ? t.meanwhile : t.since(formatTime(missed.since))}{' '}
          {counts.map(({ status, count }) => (
            <a key={status} href={`${linkTo('panel', 'orders')}?missed=${status}`}>
              {t.became[status](count)}
            </a>
          ))}
          <button type="button" className="quiet-button" onClick={() => missedSales.set(null)}>
            {t.dismiss}
          </button>
        </p>
      )}
    </div>
  );
}
