import { type FormEvent, useEffect, useState } from 'react';
import type { WalletChangedPush } from '../../src/contract/wallet.js';
import { usePages } from '../../src/react/use.pages.js';
import { useRequest } from '../../src/react/use.request.js';
import { formatDateTime } from '../clock.js';
import { ErrorMessage } from '../components/error.message.js';
import { Field } from '../components/field.js';
import { LoadMore } from '../components/load.more.js';
import { request, subscribe } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { formatMoney, parseMoney } from '../money.js';
import { shortId } from '../orders.js';
import { linkTo } from '../route.js';
import { canTopUp, topUp } from './top.up.js';

/** The balance, what is on its way to the seller, and the ledger entries. All follow the wallet's changes. */
export function WalletPage() {
  const t = useTranslations();
  const [version, setVersion] = useState(0);
  const reload = () => setVersion((before) => before + 1);
  const [latest, setLatest] = useState<WalletChangedPush>();
  useEffect(
    () =>
      subscribe('wallet', (push) => {
        setLatest(push);
        setVersion((before) => before + 1);
      }),
    [],
  );
  const read = useRequest(`wallet ${version}`, () => request('wallet', {}));
  useEffect(() => subscribe('invalidate', () => setLatest(undefined)), []);
  // A read under way may be older than the push.
  const wallet = read.isLoading ? (latest ?? read.data) : read.data;
  const entries = usePages(`entries ${version}`, (after) => request('entries', after ? { after } : {}));
  return (
    <>
      <h1>{t.wallet.title}</h1>
      <section className="card balance">
        <p className="quiet">{t.wallet.balance}</p>
        <p className="amount" role="status">
          {wallet ? formatMoney(wallet.balance) : '…'}
        </p>
        {wallet !== undefined && wallet.held > 0 && (
          <p className="quiet" role="status">
            {t.wallet.held} <strong>{formatMoney(wallet.held)}</strong>
          </p>
        )}
        <MoveMoney onMoved={reload} />
      </section>
      <h2>{t.wallet.entries}</h2>
      {entries.items.length === 0 && !entries.isLoading && <p className="quiet">{t.wallet.none}</p>}
      {entries.items.length > 0 && (
        <table className="entries">
          <thead>
            <tr>
              <th scope="col">{t.wallet.date}</th>
              <th scope="col">{t.wallet.description}</th>
              <th scope="col">{t.wallet.amount}</th>
              <th scope="col">{t.wallet.balanceAfter}</th>
            </tr>
          </thead>
          <tbody>
            {entries.items.map(({ entryId, at, kind, orderId, amount, balance: after }) => (
              <tr key={entryId}>
                <td className="quiet">{formatDateTime(at)}</td>
                <td>
                  {t.entries[kind]}{' '}
                  {orderId && kind !== 'sale' && kind !== 'refunded' && (
                    <a href={linkTo('orders', orderId)}>{shortId(orderId)}</a>
                  )}
                </td>
                <td className={amount < 0 ? 'minus' : 'plus'}>{formatMoney(amount)}</td>
                <td>{formatMoney(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <LoadMore pages={entries} />
    </>
  );
}

function MoveMoney({ onMoved }: { onMoved: () => void }) {
  const t = useTranslations().wallet;
  const [busy, setBusy] = useState(false);
  const [amountError, setAmountError] = useState<string>();
  const [error, setError] = useState<unknown>();

  async function move(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const action = (event.nativeEvent as SubmitEvent).submitter?.getAttribute('value');
    const amount = parseMoney(String(new FormData(form).get('amount')));
    setAmountError(amount ? undefined : t.badAmount);
    setError(undefined);
    if (!amount) return;
    setBusy(true);
    try {
      if (action === 'withdraw') await request('withdraw', { amount });
      else await topUp(amount);
      form.reset();
      onMoved();
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <form className="move-money" onSubmit={move}>
      <Field label={t.amount} name="amount" inputMode="decimal" autoComplete="off" error={amountError} required />
      <p className="actions">
        {canTopUp && (
          <button type="submit" value="deposit" disabled={busy} aria-busy={busy}>
            {t.topUp}
          </button>
        )}
        <button type="submit" value="withdraw" className="secondary" disabled={busy}>
          {t.withdraw}
        </button>
      </p>
      <ErrorMessage error={error} />
    </form>
  );
}
