import { type FormEvent, useEffect, useState } from 'react';
import { dayAndTime } from '../clock.js';
import { ask, hear } from '../hub.js';
import { minorUnits, money } from '../money.js';
import { shortId } from '../orders.js';
import { Field } from '../parts/field.js';
import { More } from '../parts/more.js';
import { Problem } from '../parts/notice.js';
import { usePages } from '../parts/pages.js';
import { useReading } from '../parts/reading.js';
import { to } from '../route.js';
import { useWords } from '../words/words.js';

/** The balance, and every movement that made it. Read anew when an order of the person has changed. */
export function WalletPage() {
  const words = useWords();
  const [round, setRound] = useState(0);
  const moved = () => setRound((before) => before + 1);
  useEffect(() => hear('order', () => setRound((before) => before + 1)), []);
  const balance = useReading(`balance ${round}`, () => ask('wallet', {}));
  const entries = usePages(`entries ${round}`, (after) => ask('entries', after ? { after } : {}));
  return (
    <>
      <h1>{words.wallet.title}</h1>
      <section className="card balance">
        <p className="quiet">{words.wallet.balance}</p>
        <p className="amount" role="status">
          {balance.value ? money(balance.value.balance) : '…'}
        </p>
        <MoveMoney onMoved={moved} />
      </section>
      <h2>{words.wallet.entries}</h2>
      {entries.items.length === 0 && !entries.isReading && <p className="quiet">{words.wallet.none}</p>}
      {entries.items.length > 0 && (
        <table className="entries">
          <thead>
            <tr>
              <th scope="col">{words.wallet.when}</th>
              <th scope="col">{words.wallet.what}</th>
              <th scope="col">{words.wallet.amount}</th>
              <th scope="col">{words.wallet.after}</th>
            </tr>
          </thead>
          <tbody>
            {entries.items.map(({ entryId, at, kind, orderId, amount, balance: after }) => (
              <tr key={entryId}>
                <td className="quiet">{dayAndTime(at)}</td>
                <td>
                  {words.entries[kind]}{' '}
                  {orderId && kind !== 'sale' && kind !== 'refunded' && (
                    <a href={to('orders', orderId)}>{shortId(orderId)}</a>
                  )}
                </td>
                <td className={amount < 0 ? 'minus' : 'plus'}>{money(amount)}</td>
                <td>{money(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <More pages={entries} />
    </>
  );
}

function MoveMoney({ onMoved }: { onMoved: () => void }) {
  const words = useWords().wallet;
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const [error, setError] = useState<unknown>();

  async function move(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const pressed = (event.nativeEvent as SubmitEvent).submitter?.getAttribute('value');
    const amount = minorUnits(String(new FormData(form).get('amount')));
    setFault(amount ? undefined : words.badAmount);
    setError(undefined);
    if (!amount) return;
    setBusy(true);
    try {
      await ask(pressed === 'withdraw' ? 'withdraw' : 'deposit', { amount });
      form.reset();
      onMoved();
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <form className="move-money" onSubmit={move}>
      <Field label={words.amount} name="amount" inputMode="decimal" autoComplete="off" fault={fault} required />
      <p className="actions">
        <button type="submit" value="deposit" disabled={busy} aria-busy={busy}>
          {words.topUp}
        </button>
        <button type="submit" value="withdraw" className="secondary" disabled={busy}>
          {words.withdraw}
        </button>
      </p>
      <Problem error={error} />
    </form>
  );
}
