import type { Page } from '../../src/contract/fields.js';
import type { Entry } from '../../src/contract/wallet.js';
import type { TestHub } from './hub.js';
import type { Person } from './person.js';

/** A person's latest wallet entries, newest first. */
export async function entriesOf(person: Person): Promise<Entry[]> {
  return (await person.get<Page<Entry>>('/wallet/entries?limit=100')).body.items;
}

/** The same entries as `[kind, amount, balance, orderId]`. */
export async function movementsOf(person: Person): Promise<[string, number, number, string | null][]> {
  return (await entriesOf(person)).map(({ kind, amount, balance, orderId }) => [kind, amount, balance, orderId]);
}

/** Sets a balance that would take thousands of deposits to reach, booked as one deposit. */
export async function fillTo(hub: TestHub, person: Person, balance: number): Promise<void> {
  await hub.database.transaction(async (tx) => {
    const [wallet]: { balance: number; entries: number }[] = await tx.query(
      'SELECT balance, entries FROM wallets WHERE user_id = ?',
      [person.userId],
    );
    if (!wallet) throw new Error(`${person.userId} has no wallet`);
    await tx.query('UPDATE wallets SET balance = ?, entries = ? WHERE user_id = ?', [
      balance,
      wallet.entries + 1,
      person.userId,
    ]);
    await tx.query(
      "INSERT INTO wallet_entries (user_id, entry_no, amount, balance, kind, at) VALUES (?, ?, ?, ?, 'deposit', ?)",
      [person.userId, wallet.entries + 1, balance - wallet.balance, balance, Date.now()],
    );
  });
}
