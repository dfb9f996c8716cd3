import { orderStatuses } from '../contract/transitions.js';
import { chunks, type Tx } from '../platform/database/database.js';
import type { Dialect, Write } from '../platform/database/dialect.js';
import { claimFields, fieldsWhenPlaced, type OrderField, orderFields, orderFieldsThatChange } from './order.columns.js';
import { payoutColumnsThatChange, payoutFields, topupColumnsThatChange, topupFields } from './payment.columns.js';
import type { OrderRow } from './rows.js';
import { storeFields, storeFieldsThatChange } from './store.columns.js';
import { encodeTimeline } from './timeline.codec.js';
import type { UnitOfWork } from './unit.of.work.js';

/** Rows in one statement, to stay below a server's packet limit. Only a batch of the very largest orders needs two. */
const ROWS_MAX = 2_500;

const isOfClaim = (field: OrderField) => claimFields.some((name) => name === field);
const fieldsBesideClaim = (Object.keys(orderFields) as OrderField[]).filter((field) => !isOfClaim(field));

/** Writes what the commands of a batch have changed: one statement a table, all of them sent at once. */
export async function save(tx: Tx, dialect: Dialect, unit: UnitOfWork, now: number): Promise<void> {
  const writes = [
    ...stateOf(unit),
    ...claimsOf(unit),
    ...recordsOf(unit, now),
    ...paymentsOf(unit),
    ...wordsOf(unit),
  ].flatMap(inParts);
  const statements = [
    ...writes.map((write) => dialect.write(write)),
    ...storesOf(unit),
    ...membershipsOf(unit, dialect),
  ];
  await Promise.all(statements.map((statement) => tx.query(...statement)));
}

function inParts(write: Write): Write[] {
  return chunks(write.rows, ROWS_MAX).map((rows) => ({ ...write, rows }));
}

/** Current state: new rows, and rows that were loaded and changed. */
function stateOf({ dirty: { orders, stock, wallets, rooms } }: UnitOfWork): Write[] {
  const placed: OrderRow[] = [];
  const changed: OrderRow[] = [];
  for (const order of orders.values()) (order.version === 1 ? placed : changed).push(order);
  return [
    { table: 'orders', ...orderRows(placed, fieldsWhenPlaced) },
    {
      table: 'orders',
      ...changedRows(changed, fieldsBesideClaim),
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
      columns: ['user_id', 'balance', 'held', 'entries', 'version'],
      rows: [...wallets].map(({ userId, balance, held, entries, version }) => [
        userId,
        balance,
        held,
        entries,
        version,
      ]),
      change: { key: ['user_id'], columns: ['balance', 'held', 'entries', 'version'] },
    },
    {
      table: 'rooms',
      columns: ['role', 'user_id', 'head', ...orderStatuses],
      rows: [...rooms].map((room) => [
        room.role,
        room.userId,
        room.head,
        ...orderStatuses.map((status) => room[status]),
      ]),
      change: { key: ['role', 'user_id'], columns: ['head', ...orderStatuses] },
    },
  ];
}

/** None in most batches, and in columns of their own, so that other changes need not write them. */
function claimsOf({ dirty: { claims } }: UnitOfWork): Write[] {
  const change = { key: ['order_id'], columns: claimFields.map((field) => orderFields[field]) };
  const rows = changedRows([...claims.values()], [...fieldsBesideClaim, ...claimFields]);
  return [{ table: 'orders', ...rows, change }];
}

/** What is appended and never changed: the ledger, the events, the stored answers. */
function recordsOf({ dirty: { entries, events, answers } }: UnitOfWork, now: number): Write[] {
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
      rows: answers.map(({ row: { userId, key, messageHash }, text }) => [userId, key, messageHash, text, now]),
    },
  ];
}

/** None in most batches. What has no outcome yet is new: its status changes when it has one. */
function paymentsOf({ dirty: { topups, payouts } }: UnitOfWork): Write[] {
  return [
    ...paymentWrites('topups', 'topup_id', topupFields, topupColumnsThatChange, [...topups.values()]),
    ...paymentWrites('payouts', 'payout_id', payoutFields, payoutColumnsThatChange, [...payouts.values()]),
  ];
}

function paymentWrites<Row extends { status: string }>(
  table: string,
  key: string,
  columns: Record<string, string> & Record<keyof Row, string>,
  changed: readonly string[],
  all: readonly Row[],
): Write[] {
  const fields = Object.keys(columns) as (keyof Row & string)[];
  const write = (rows: readonly Row[]) => ({
    table,
    columns: fields.map((field) => columns[field]),
    rows: rows.map((row) => fields.map((field) => row[field])),
  });
  const isNew = ({ status }: Row) => status === 'pending';
  return [
    write(all.filter(isNew)),
    { ...write(all.filter((row) => !isNew(row))), change: { key: [key], columns: changed } },
  ];
}

/** What people wrote, in the rows that alone hold it. */
function wordsOf({ dirty: { addresses, notes } }: UnitOfWork): Write[] {
  return [
    {
      table: 'order_addresses',
      columns: ['order_id', 'deliver_to'],
      rows: [...addresses.values()].map(({ orderId, deliverTo }) => [orderId, deliverTo]),
      change: { key: ['order_id'], columns: ['deliver_to'], orInsert: true },
    },
    {
      table: 'order_notes',
      columns: ['order_id', 'note_no', 'user_id', 'text', 'at'],
      rows: notes.map(({ orderId, no, userId, text, at }) => [orderId, no, userId, text, at]),
    },
  ];
}

/**
 * A statement each; there are none in most batches. An INSERT that changes rows needs, on MariaDB, the right to update every column,
 * and the hub's account must not be able to change a store's owner.
 */
function storesOf({ dirty: { stores } }: UnitOfWork): [sql: string, parameters: unknown[]][] {
  const sql = `UPDATE stores SET ${storeFieldsThatChange.map((field) => `${storeFields[field]} = ?`).join(', ')} WHERE store_id = ?`;
  return [...stores.values()].map((store) => [
    sql,
    [...storeFieldsThatChange.map((field) => store[field]), store.storeId],
  ]);
}

/**
 * On a cluster, a row that was only locked is locked at one node: the removal of a member conflicts with a batch in which the member
 * acts because both write the row.
 */
function membershipsOf({ acting }: UnitOfWork, { inCondition, singleWriter }: Dialect): [string, unknown[]][] {
  if (acting.length === 0 || singleWriter) return [];
  const [where, parameters] = inCondition.pairs(['owner_id', 'user_id'], acting);
  return [[`UPDATE staff_members SET version = version + 1 WHERE ${where}`, parameters]];
}

/** Items never change and may be long: those of 256 large orders would exceed a server's packet limit. */
function changedRows(orders: readonly OrderRow[], fields: readonly OrderField[]) {
  return orderRows(
    orders.map((order) => ({ ...order, items: [] })),
    fields,
  );
}

function orderRows(orders: readonly OrderRow[], fields: readonly OrderField[]): Pick<Write, 'columns' | 'rows'> {
  const cell = (order: OrderRow, field: OrderField) => {
    if (field === 'timeline') return encodeTimeline(order.timeline);
    return field === 'items' ? JSON.stringify(order.items) : order[field];
  };
  return {
    columns: fields.map((field) => orderFields[field]),
    rows: orders.map((order) => fields.map((field) => cell(order, field))),
  };
}
