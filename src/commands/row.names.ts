import type { CommandHandler, RowKeys } from './command.handler.js';
import type { Command } from './command.js';
import { pair } from './rows.js';
import type { UnitOfWork } from './unit.of.work.js';

/** A command with the handler that is registered for it. */
export interface HandledCommand {
  command: Command;
  handler: CommandHandler;
}

/** A row, as its table and its key. The key `*` is the whole table. */
export type RowName = `${string} ${string}`;

/** The tables that a batch reads or writes for each kind of row. */
const tables = {
  orders: ['orders'],
  books: ['books', 'stores', 'book_stock'],
  bookNos: ['books', 'book_stock'],
  texts: ['book_texts'],
  stores: ['stores'],
  members: ['staff_members'],
  changedStores: ['stores'],
  wallets: ['wallets', 'wallet_entries'],
  topups: ['topups'],
  payouts: ['payouts'],
  paymentEvents: ['topups'],
  users: ['users'],
  rooms: ['rooms', 'room_events', 'orders'],
  addresses: ['order_addresses'],
  notes: ['order_notes'],
} as const satisfies Record<keyof RowKeys, readonly string[]>;

/** Whose rows a range of an appended table belongs to: those of a ledger to a wallet, for example. */
const ownerTables: Record<string, string> = {
  wallet_entries: 'wallets',
  room_events: 'rooms',
  orders: 'rooms',
  command_answers: 'users',
  order_notes: 'orders',
};

/** All that a command needs, as far as the loaded rows tell: its rows, and their tables as a whole. */
export function namesOf({ command, handler }: HandledCommand, unit: UnitOfWork): RowName[] {
  const keys = [handler.keys(command), handler.relatedKeys?.(unit, command) ?? {}];
  return [...ownNamesOf(command), ...keys.flatMap((some) => [...rowsOf(some, unit), ...tablesOf(some)])];
}

/** Those of a command's rows that may be why it cannot write to a table. */
export function suspectsOf(table: string, names: readonly RowName[]): RowName[] {
  const prefix = `${ownerTables[table] ?? table} `;
  return names.filter((name) => name.startsWith(prefix) && !name.endsWith(' *'));
}

function ownNamesOf({ actorId, acting, key }: Command): RowName[] {
  const always: RowName[] = ['users *', 'hub_batches *'];
  if (actorId === null) return always;
  const answer: RowName[] = key ? ['command_answers *', `command_answers ${pair(actorId, key.text)}`] : [];
  const membership: RowName[] = acting ? ['staff_members *', `staff_members ${pair(acting.ownerId, actorId)}`] : [];
  return [...always, `users ${actorId}`, ...membership, ...answer];
}

function rowsOf(
  { orders, books, bookNos, changedStores, wallets, topups, payouts, rooms, addresses }: RowKeys,
  unit: UnitOfWork,
): RowName[] {
  const named = (table: string, keys: readonly (string | number)[] = []) =>
    keys.map((key): RowName => `${table} ${key}`);
  const numbers = (books ?? []).flatMap((book) => unit.books.get(pair(...book))?.bookNo ?? []);
  return [
    ...named('orders', orders),
    ...named('stores', changedStores),
    ...named('book_stock', [...numbers, ...(bookNos ?? [])]),
    ...named('wallets', wallets),
    ...named('topups', topups),
    ...named('payouts', payouts),
    ...named('order_addresses', addresses),
    ...named(
      'rooms',
      rooms?.map((room) => pair(...room)),
    ),
  ];
}

function tablesOf(keys: RowKeys): RowName[] {
  const kinds = Object.keys(keys) as (keyof RowKeys)[];
  return kinds.flatMap((kind) => (keys[kind]?.length ? tables[kind].map((table): RowName => `${table} *`) : []));
}

/** The keys that all commands of a batch name. */
export class Keys {
  constructor(private readonly all: readonly RowKeys[]) {}

  of<Kind extends keyof RowKeys>(kind: Kind): NonNullable<RowKeys[Kind]>[number][] {
    const keys: NonNullable<RowKeys[Kind]>[number][] = [];
    for (const { [kind]: some } of this.all) if (some) keys.push(...some);
    return keys;
  }
}
