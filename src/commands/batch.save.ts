import { chunks, type Tx } from '../platform/database.js';
import type { Dialect, Write } from '../platform/dialect.js';
import { writeAnswer } from './kept.answer.js';
import { fieldsWhenPlaced, orderFields, orderFieldsThatChange } from './order.columns.js';
import type { OrderEntity } from './order.entity.js';
import type { OrderRow } from './order.view.js';
import type { World } from './world.js';

/** Rows in one statement, so that a server takes its text. Only a batch of the very largest orders needs two. */
const ROWS_MAX = 2_500;

const allFields = Object.keys(orderFields) as (keyof OrderEntity)[];

/** Writes everything that the commands of a batch have changed: one statement a table, all of them on their way at once. */
export async function save(tx: Tx, dialect: Dialect, world: World, now: number): Promise<void> {
  const writes = [...stateOf(world), ...recordsOf(world, now)].flatMap(inParts);
  await Promise.all(writes.map((write) => tx.query(...dialect.write(write))));
}

/** One as a rule; none if there are no rows. */
function inParts(write: Write): Write[] {
  return chunks(write.rows, ROWS_MAX).map((rows) => ({ ...write, rows }));
}

/** What stands as it is now: new rows, and rows that were loaded and changed. */
function stateOf({ changed: { orders, stock, wallets, rooms } }: World): Write[] {
  const placed: OrderRow[] = [];
  const changed: OrderRow[] = [];
  for (const order of orders.values()) (order.version === 1 ? placed : changed).push(order);
  return [
    { table: 'orders', ...orderRows(placed, fieldsWhenPlaced) },
    {
      table: 'orders',
      // Their items are there already, and may be long: 256 of the longest orders would be more than a server takes at once.
      ...orderRows(
        changed.map((order) => ({ ...order, items: [] })),
        allFields,
      ),
      change: { key: ['order_id'], columns: orderFieldsThatChange.map((field) => orderFields[field]) },
    },
    {
      table: 'book_stock',
      columns: ['book_no', 'stock'],
      rows: [...stock].map((book) => [book.bookNo, book.stock]),
      change: { key: ['book_no'], columns: ['stock'] },
    },
    {
      table: 'wallets',
      columns: ['user_id', 'balance', 'entries'],
      rows: [...wallets].map(({ userId, balance, entries }) => [userId, balance, entries]),
      change: { key: ['user_id'], columns: ['balance', 'entries'] },
    },
    {
      table: 'rooms',
      columns: ['role', 'user_id', 'head'],
      rows: [...rooms].map(({ role, userId, head }) => [role, userId, head]),
      change: { key: ['role', 'user_id'], columns: ['head'] },
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

function orderRows(
  orders: readonly OrderRow[],
  fields: readonly (keyof OrderEntity)[],
): Pick<Write, 'columns' | 'rows'> {
  const cell = (order: OrderRow, field: keyof OrderEntity) =>
    field === 'items' || field === 'timeline' ? JSON.stringify(order[field]) : order[field];
  return {
    columns: fields.map((field) => orderFields[field]),
    rows: orders.map((order) => fields.map((field) => cell(order, field))),
  };
}
