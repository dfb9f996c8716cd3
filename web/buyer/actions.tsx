import { HubError } from '../../src/client/connect.js';
import { clockLeft, useNow } from '../clock.js';
import { ask, hub } from '../hub.js';
import { money } from '../money.js';
import { give, type KnownOrder, useDoing } from '../orders.js';
import { Cancel } from '../parts/cancel.js';
import { Problem } from '../parts/notice.js';
import { useWords } from '../words/words.js';

/** What a buyer may do with an order now, as the hub's `allowed` says, and what is under way. */
export function OrderActions({ order }: { order: KnownOrder }) {
  const words = useWords();
  const { command, error } = useDoing(order.orderId);
  const { orderId, allowed } = order;
  const mayPay = allowed.includes('pay');
  const payNow = () => hub().pay({ orderId, expectedTotal: order.total });
  const pay = () => give('buyer', orderId, 'pay', payNow);
  const topUpAndPay = () => give('buyer', orderId, 'pay', () => topUp(order.total).then(payNow));
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
      {isShort(error)
        ? mayPay && <TopUp missing={order.total - error.details.balance} topUpAndPay={topUpAndPay} />
        : error !== undefined && <Problem error={error} />}
      {allowed.length > 0 && (
        <p className="actions">
          {mayPay && (
            <button type="button" onClick={pay}>
              {words.commands.pay} {money(order.total)}
            </button>
          )}
          {allowed.includes('receive') && (
            <button type="button" onClick={receive}>
              {words.commands.receive}
            </button>
          )}
          {allowed.includes('cancel') && <Cancel onSure={cancel} />}
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

/** Puts what is missing now into the wallet: it may have changed since the hub said so. */
async function topUp(total: number): Promise<void> {
  const { balance } = await ask('wallet', {});
  if (balance < total) await ask('deposit', { amount: total - balance });
}

/** The money that is missing, and one press to have it and pay. */
function TopUp({ missing, topUpAndPay }: { missing: number; topUpAndPay: () => void }) {
  const words = useWords().orders;
  return (
    <div role="alert" className="short">
      <span>{words.short(money(missing))}</span>
      <button type="button" onClick={topUpAndPay}>
        {words.topUpAndPay(money(missing))}
      </button>
    </div>
  );
}
