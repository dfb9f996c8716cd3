import type { Page } from '../../src/contract/fields.js';
import type { Entry } from '../../src/contract/wallet.js';
import type { TestHub } from './hub.js';
import type { Person } from './person.js';

/** The latest movements of a person's money, newest first. */
export async function entriesOf(person: Person): Promise<Entry[]> {
  return (await person.get<Page<Entry>>('/wallet/entries?limit=100')).body.items;
}

/** Those movements without what each test need not say: what they are, how much, what was left, and for which order. */
export async function movementsOf(person: Person): Promise<[string, number, number, string | null][]> {
  return (await entriesOf(person)).map(({ kind, amount, balance, orderId }) => [kind, amount, balance, orderId]);
}

/** Makes a balance that deposits would take thousands of messages to reach: one deposit, booked like any other. */
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
