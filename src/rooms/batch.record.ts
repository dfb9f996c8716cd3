import type { BookStockPush, StoreStatusPush } from '../contract/rooms.js';
import type { OrderClaimedPush } from '../contract/staff.js';
import { type Role, roles } from '../contract/transitions.js';

/** A room, and a number up to which its events are committed. */
export interface RoomHead {
  role: Role;
  userId: string;
  head: number;
}

/** A push about a book's stock, to the owner of its store. It is not numbered, so it cannot be read later. */
export interface StockAlert {
  ownerId: string;
  push: BookStockPush;
}

/** Whether a store takes orders, for its owner. Of two, the one with the higher version is the later. */
export interface StoreStatus {
  ownerId: string;
  version: number;
  push: StoreStatusPush;
}

/** Who is working on an order, for its seller's side. Of two, the one with the higher version is the later. */
export interface OrderClaim {
  ownerId: string;
  version: number;
  push: OrderClaimedPush;
}

/** A wallet as a batch left it. Of two states, the one with the higher version is the later. */
export interface WalletState {
  userId: string;
  balance: number;
  held: number;
  version: number;
}

/** The wallets that a batch changed, and when, in epoch milliseconds. */
export interface WalletChanges {
  at: number;
  wallets: Iterable<WalletState>;
}

/** What a batch tells the other hubs: the rooms that it wrote to, its stock alerts and claims, and the stores and wallets that it changed. */
export interface BatchRecord {
  rooms: Iterable<RoomHead>;
  stockAlerts: readonly StockAlert[];
  storeStatuses: readonly StoreStatus[];
  claims: readonly OrderClaim[];
  wallets: Iterable<WalletState>;
}

/** What other hubs have committed. */
export interface BatchNews extends Pick<BatchRecord, 'stockAlerts' | 'storeStatuses' | 'claims'> {
  rooms: RoomHead[];
  walletChanges: WalletChanges[];
}

/** They take the place of a room's role in an entry. Hubs that do not know one skip the entry. */
const STOCK = 'stock';
const STORE = 'store';
const CLAIM = 'claim';
const WALLET = 'wallet';

/** A record as its row has it. */
export function encodeRecord(record: BatchRecord): string {
  const { rooms, stockAlerts, storeStatuses, claims, wallets } = record;
  return JSON.stringify([
    ...[...rooms].map(({ role, userId, head }) => [role, userId, head]),
    ...stockAlerts.map(({ ownerId, push }) => [STOCK, ownerId, push]),
    ...storeStatuses.map(({ ownerId, version, push }) => [STORE, ownerId, [version, push]]),
    ...claims.map(({ ownerId, version, push }) => [CLAIM, ownerId, [version, push]]),
    ...[...wallets].map(({ userId, balance, held, version }) => [WALLET, userId, [balance, held, version]]),
  ]);
}

/** What the records of these batches say, in that order. */
export function readRecords(batches: readonly { at: number; rooms: string }[]): BatchNews {
  const entriesOf = batches.map(({ at, rooms }) => ({ at, entries: JSON.parse(rooms) as BatchLogEntry[] }));
  const entries = entriesOf.flatMap((batch) => batch.entries);
  const walletChanges = entriesOf
    .map((batch) => ({ at: batch.at, wallets: batch.entries.flatMap(readWallet) }))
    .filter(({ wallets }) => wallets.length > 0);
  return {
    rooms: entries.flatMap(readRoom),
    stockAlerts: entries.flatMap(readAlert),
    storeStatuses: entries.flatMap((entry) => readVersioned<StoreStatusPush>(entry, STORE)),
    claims: entries.flatMap((entry) => readVersioned<OrderClaimedPush>(entry, CLAIM)),
    walletChanges,
  };
}

/** A room and its head; `stock`, `store` or `claim`, an owner and a push; or `wallet`, its owner and its state. */
type BatchLogEntry = [name: string, userId: string, what: unknown];

function readRoom([name, userId, head]: BatchLogEntry): RoomHead[] {
  const role = roles.find((known) => known === name);
  return role ? [{ role, userId, head: Number(head) }] : [];
}

function readAlert([name, ownerId, push]: BatchLogEntry): StockAlert[] {
  return name === STOCK ? [{ ownerId, push: push as BookStockPush }] : [];
}

function readVersioned<Push>([name, ownerId, what]: BatchLogEntry, wanted: typeof STORE | typeof CLAIM) {
  if (name !== wanted) return [];
  const [version, push] = what as [version: number, push: Push];
  return [{ ownerId, version, push }];
}

function readWallet([name, userId, state]: BatchLogEntry): WalletState[] {
  if (name !== WALLET) return [];
  const [balance, held, version] = state as [balance: number, held: number, version: number];
  return [{ userId, balance, held, version }];
}
