import { useState } from 'react';
import { newKey } from '../../src/client/again.js';
import { HubError } from '../../src/client/connect.js';
import { clockLeft, useNow } from '../clock.js';
import { ask, hub } from '../hub.js';
import { money } from '../money.js';
import { give, type KnownOrder, useDoing } from '../orders.js';
import { Problem } from '../parts/notice.js';
import { useWords } from '../words/words.js';

/** What a buyer may do with an order now, as the hub's `allowed` says, and what is under way. */
export function OrderActions({ order }: { order: KnownOrder }) {
  const words = useWords();
  const { command, error } = useDoing(order.orderId);
  const [sure, setSure] = useState(false);
  const { orderId, allowed } = order;
  const pay = () => give('buyer', orderId, 'pay', () => hub().pay({ orderId, expectedTotal: order.total }));
  const receive = () => give('buyer', orderId, 'receive', () => hub().receive({ orderId }));
  const cancel = () => give('buyer', orderId, 'cancel', () => hub().cancel({ orderId }));

  if (command) {
    return (
      <p className="actions pending" role="status">
        {words.orders.doing[command]} <span className="quiet">({words.pendingHint})</span>
      </p>
    );
  }
  return (
    <>
      {order.status === 'placed' && <TimeLeft expiresAt={order.expiresAt} />}
      {isShort(error) ? (
        <TopUp error={error} order={order} pay={pay} />
      ) : (
        error !== undefined && <Problem error={error} />
      )}
      {allowed.length > 0 && (
        <p className="actions">
          {allowed.includes('pay') && (
            <button type="button" onClick={pay}>
              {words.commands.pay} {money(order.total)}
            </button>
          )}
          {allowed.includes('receive') && (
            <button type="button" onClick={receive}>
              {words.commands.receive}
            </button>
          )}
          {allowed.includes('cancel') &&
            (sure ? (
              <>
                <button type="button" className="danger" onClick={cancel}>
                  {words.orders.sureCancel}
                </button>
                <button type="button" className="quiet-button" onClick={() => setSure(false)}>
                  {words.orders.keep}
                </button>
              </>
            ) : (
              <button type="button" className="quiet-button" onClick={() => setSure(true)}>
                {words.commands.cancel}
              </button>
            ))}
        </p>
      )}
    </>
  );
}

/** The hub cancels an order that is not paid until then. */
function TimeLeft({ expiresAt }: { expiresAt: string }) {
  const words = useWords().orders;
  const leftMs = Date.parse(expiresAt) - useNow();
  return (
    <p className="time-left" role="timer">
      {leftMs > 0 ? words.expiresIn(clockLeft(leftMs)) : words.expired}
    </p>
  );
}

interface Short {
  details: { needed: number; balance: number };
}

function isShort(error: unknown): error is HubError & Short {
  return error instanceof HubError && error.code === 'INSUFFICIENT_FUNDS';
}

/** The money that is missing, and one press to have it and pay. */
function TopUp({ error, order, pay }: { error: Short; order: KnownOrder; pay: () => Promise<boolean> }) {
  const words = useWords().orders;
  // Kept while the offer stands: pressed twice, it tops up once.
  const [key] = useState(newKey);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const missing = order.total - error.details.balance;

  async function topUpAndPay() {
    setBusy(true);
    try {
      await ask('deposit', { amount: missing, key });
      await pay();
    } catch (thrown) {
      setFailure(thrown);
      setBusy(false);
    }
  }
  return (
    <div role="alert" className="short">
      <span>{words.short(money(missing))}</span>
      <button type="button" disabled={busy} aria-busy={busy} onClick={topUpAndPay}>
        {words.topUpAndPay(money(missing))}
      </button>
      {failure !== undefined && <Problem error={failure} />}
    </div>
  );
}
