import { placeholders, type Tx } from '../platform/database.js';
import type { Dialect } from '../platform/dialect.js';
import { orderFields, orderFieldsThatChange } from './order.columns.js';
import type { OrderEntity } from './order.entity.js';
import type { World } from './world.js';

/** Values in one statement: the embedded database binds no more. Only a batch of the very largest orders needs two. */
const VALUES_MAX = 30_000;

/** Writes everything that the commands of a batch have changed: one statement a table. */
export async function save(tx: Tx, dialect: Dialect, world: World, now: number): Promise<void> {
  const { orders, stock, wallets, entries, rooms, events, answers } = world.changed;
  const fields = Object.keys(orderFields) as (keyof OrderEntity)[];
  const upsert = (keys: string[], columns: string[]) => dialect.onConflictUpdate(keys, columns);

  await insert(
    tx,
    `orders (${Object.values(orderFields).join(', ')})`,
    [...orders.values()].map((order) => {
      const row: OrderEntity = {
        ...order,
        items: JSON.stringify(order.items),
        timeline: JSON.stringify(order.timeline),
      };
      return fields.map((field) => row[field]);
    }),
    upsert(
      ['order_id'],
      orderFieldsThatChange.map((field) => orderFields[field]),
    ),
  );
  await insert(
    tx,
    'book_stock (book_no, stock)',
    [...stock].map((book) => [book.bookNo, book.stock]),
    upsert(['book_no'], ['stock']),
  );
  await insert(
    tx,
    'wallets (user_id, balance, entries)',
    [...wallets].map((wallet) => [wallet.userId, wallet.balance, wallet.entries]),
    upsert(['user_id'], ['balance', 'entries']),
  );
  await insert(
    tx,
    'wallet_entries (user_id, entry_no, amount, balance, kind, order_id, at)',
    entries.map((entry) => [
      entry.userId,
      entry.entryNo,
      entry.amount,
      entry.balance,
      entry.kind,
      entry.orderId,
      entry.at,
    ]),
  );
  await insert(
    tx,
    'rooms (role, user_id, head)',
    [...rooms].map((room) => [room.role, room.userId, room.head]),
    upsert(['role', 'user_id'], ['head']),
  );
  await insert(
    tx,
    'room_events (role, user_id, seq, body, at)',
    events.map((event) => [event.role, event.userId, event.push.seq, JSON.stringify(event.push), event.at]),
  );
  await insert(
    tx,
    'command_answers (user_id, idem_key, message_hash, answer, at)',
    answers.map((row) => [row.userId, row.key, row.messageHash, JSON.stringify(row.answer), now]),
  );
}

async function insert(tx: Tx, into: string, rows: unknown[][], ending = ''): Promise<void> {
  const columns = rows[0]?.length ?? 1;
  const rowsMax = Math.floor(VALUES_MAX / columns);
  for (let start = 0; start < rows.length; start += rowsMax) {
    const part = rows.slice(start, start + rowsMax);
    await tx.query(`INSERT INTO ${into} VALUES ${placeholders(part.length, columns)}${ending}`, part.flat());
  }
}
