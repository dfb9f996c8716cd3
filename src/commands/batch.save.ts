import { placeholders, type Tx } from '../platform/database.js';
import type { Dialect } from '../platform/dialect.js';
import { writeAnswer } from './kept.answer.js';
import { orderFields, orderFieldsThatChange } from './order.columns.js';
import type { OrderEntity } from './order.entity.js';
import type { OrderRow } from './order.view.js';
import type { World } from './world.js';

/** Values in one statement: the embedded database binds no more. Only a batch of the very largest orders needs two. */
const VALUES_MAX = 30_000;

/** The rows that one table is to hold. With `keys`, those that it holds already are changed in `update` instead. */
interface Write {
  table: string;
  columns: readonly string[];
  rows: unknown[][];
  keys?: readonly string[];
  update?: readonly string[];
}

/** Writes everything that the commands of a batch have changed: one statement a table. */
export async function save(tx: Tx, dialect: Dialect, world: World, now: number): Promise<void> {
  for (const write of [...stateOf(world), ...recordsOf(world, now)]) {
    const { table, columns, rows, keys, update } = write;
    const ending = keys && update ? dialect.onConflictUpdate(keys, update) : '';
    const rowsMax = Math.floor(VALUES_MAX / columns.length);
    for (let start = 0; start < rows.length; start += rowsMax) {
      const part = rows.slice(start, start + rowsMax);
      const values = placeholders(part.length, columns.length);
      await tx.query(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${values}${ending}`, part.flat());
    }
  }
}

/** What stands as it is now: new rows, and rows that were loaded and changed. */
function stateOf({ changed: { orders, stock, wallets, rooms } }: World): Write[] {
  return [
    {
      table: 'orders',
      columns: Object.values(orderFields),
      rows: [...orders.values()].map(orderValues),
      keys: ['order_id'],
      update: orderFieldsThatChange.map((field) => orderFields[field]),
    },
    {
      table: 'book_stock',
      columns: ['book_no', 'stock'],
      rows: [...stock].map((book) => [book.bookNo, book.stock]),
      keys: ['book_no'],
      update: ['stock'],
    },
    {
      table: 'wallets',
      columns: ['user_id', 'balance', 'entries'],
      rows: [...wallets].map(({ userId, balance, entries }) => [userId, balance, entries]),
      keys: ['user_id'],
      update: ['balance', 'entries'],
    },
    {
      table: 'rooms',
      columns: ['role', 'user_id', 'head'],
      rows: [...rooms].map(({ role, userId, head }) => [role, userId, head]),
      keys: ['role', 'user_id'],
      update: ['head'],
    },
  ];
}

/** What happened, and is never changed: the ledger, the events, the answers. */
function recordsOf({ changed: { entries, events, answers } }: World, now: number): Write[] {
  return [
    {
      table: 'wallet_entries',
      columns: ['user_id', 'entry_no', 'amount', 'balance', 'kind', 'order_id', 'at'],
      rows: entries.map((entry) => [
        ...[entry.userId, entry.entryNo, entry.amount, entry.balance],
        ...[entry.kind, entry.orderId, entry.at],
      ]),
    },
    {
      table: 'room_events',
      columns: ['role', 'user_id', 'seq', 'body', 'at'],
      rows: events.map(({ role, userId, push, body, at }) => [role, userId, push.seq, body, at]),
    },
    {
      table: 'command_answers',
      columns: ['user_id', 'idem_key', 'message_hash', 'answer', 'at'],
      rows: answers.map(({ userId, key, messageHash, answer }) => [
        ...[userId, key, messageHash],
        ...[writeAnswer(answer), now],
      ]),
    },
  ];
}

const ORDER_FIELDS = Object.keys(orderFields) as (keyof OrderEntity)[];

function orderValues(order: OrderRow): unknown[] {
  return ORDER_FIELDS.map((field) =>
    field === 'items' || field === 'timeline' ? JSON.stringify(order[field]) : order[field],
  );
}
