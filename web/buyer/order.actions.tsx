import { useState } from 'react';
import { HubError } from '../../src/client/connect.js';
import { formatCountdown, formatDateTime, useNow } from '../clock.js';
import { CancelButton } from '../components/cancel.button.js';
import { ErrorMessage } from '../components/error.message.js';
import { hub, request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { runCommand, useCommandState } from '../order.commands.js';
import { canTopUp, topsUpAtProvider, topUp } from './top.up.js';

/** The commands that the hub allows the buyer now (`allowed`), and the one in flight. */
export function OrderActions({ order }: { order: LoadedOrder }) {
  const t = useTranslations();
  const { command, error } = useCommandState(order.orderId);
  const { orderId, allowed } = order;
  const mayPay = allowed.includes('pay');
  const payNow = () => hub().pay({ orderId, expectedTotal: order.total });
  const pay = () => runCommand('buyer', orderId, 'pay', payNow);
  const topUpAndPay = () => runCommand('buyer', orderId, 'pay', () => topUpMissing(order.total).then(payNow));
  const receive = () => runCommand('buyer', orderId, 'receive', () => hub().receive({ orderId }));
  const cancel = () => runCommand('buyer', orderId, 'cancel', () => hub().cancel({ orderId }));

  if (command) {
    return (
      <p className="actions pending" role="status">
        {t.orders.inProgress[command]} <span className="quiet">({t.pendingHint})</span>
      </p>
    );
  }
  return (
    <>
      {order.status === 'placed' && <TimeLeft expiresAt={order.expiresAt} />}
      {order.status === 'paid' && order.shipBy !== null && (
        <p className="quiet">{t.orders.shipBy(formatDateTime(order.shipBy))}</p>
      )}
      {isInsufficientFunds(error)
        ? mayPay && <TopUp orderId={orderId} missing={order.total - error.details.balance} topUpAndPay={topUpAndPay} />
        : error !== undefined && <ErrorMessage error={error} />}
      {allowed.length > 0 && (
        <p className="actions">
          {mayPay && (
            <button type="button" onClick={pay}>
              {t.commands.pay} {formatMoney(order.total)}
            </button>
          )}
          {allowed.includes('receive') && (
            <button type="button" onClick={receive}>
              {t.commands.receive}
            </button>
          )}
          {allowed.includes('cancel') && <CancelButton onConfirm={cancel} />}
        </p>
      )}
    </>
  );
}

/** The hub cancels an order that is not paid by `expiresAt`. */
function TimeLeft({ expiresAt }: { expiresAt: string }) {
  const t = useTranslations().orders;
  const leftMs = Date.parse(expiresAt) - useNow();
  return (
    <p className="time-left" role="timer">
      {leftMs > 0 ? t.expiresIn(formatCountdown(leftMs)) : t.expired}
    </p>
  );
}

interface InsufficientFunds {
  details: { needed: number; balance: number };
}

function isInsufficientFunds(error: unknown): error is HubError & InsufficientFunds {
  return error instanceof HubError && error.code === 'INSUFFICIENT_FUNDS';
}

/** Deposits what is missing now: the balance may have changed since the payment was rejected. */
async function topUpMissing(total: number): Promise<void> {
  const { balance } = await request('wallet', {});
  if (balance < total) await topUp(total - balance);
}

interface TopUpProps {
  orderId: string;
  missing: number;
  topUpAndPay: () => void;
}

/** Shows the missing amount, with one button that tops up and pays: at the payment provider's page, if the hub has one. */
function TopUp({ orderId, missing, topUpAndPay }: TopUpProps) {
  const t = useTranslations().orders;
  const [error, setError] = useState<unknown>();
  const payAtProvider = () => topUp(missing, orderId).catch(setError);
  return (
    <div role="alert" className="short">
      <span>{t.insufficientFunds(formatMoney(missing))}</span>
      {canTopUp && (
        <button type="button" onClick={topsUpAtProvider ? payAtProvider : topUpAndPay}>
          {t.topUpAndPay(formatMoney(missing))}
        </button>
      )}
      <ErrorMessage error={error} />
    </div>
  );
}
