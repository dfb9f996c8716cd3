import { connect } from '../../src/client/connect.js';
import type { CursorStorage } from '../../src/client/cursor.storage.js';
import type { ClientState, EndedReason, HubClient } from '../../src/client/hub.client.js';
import type { BookStockPush, Last, OrderStatusPush, RoomReadyPush, StoreStatusPush } from '../../src/contract/rooms.js';
import type { Role } from '../../src/contract/transitions.js';
import type { WalletChangedPush } from '../../src/contract/wallet.js';
import { until } from './hub.js';

/** A client of the client library, and everything it emitted from the start. */
export interface Follower {
  client: HubClient;
  events: OrderStatusPush[];
  states: ClientState[];
  /** Changes missed while away, at each transition to `live`. */
  missed: number[];
  ready: RoomReadyPush[];
  resets: Role[];
  stock: BookStockPush[];
  stores: StoreStatusPush[];
  wallets: WalletChangedPush[];
  ended: EndedReason[];
  pending: number[];
}

export function follow(url: string, { token }: { token: string }, storage?: CursorStorage): Follower {
  const client = connect({ url, token, ...(storage ? { storage } : {}) });
  const follower: Follower = {
    client,
    events: [],
    states: [],
    missed: [],
    ready: [],
    resets: [],
    stock: [],
    stores: [],
    wallets: [],
    ended: [],
    pending: [],
  };
  client.on('order', (event) => follower.events.push(event));
  client.on('state', (state, { missed }) => {
    follower.states.push(state);
    if (state === 'live') follower.missed.push(missed);
  });
  client.on('ready', (push) => follower.ready.push(push));
  client.on('reset', ({ role }) => follower.resets.push(role));
  client.on('stock', (push) => follower.stock.push(push));
  client.on('store', (push) => follower.stores.push(push));
  client.on('wallet', (push) => follower.wallets.push(push));
  client.on('ended', ({ reason }) => follower.ended.push(reason));
  client.on('pending', (count) => follower.pending.push(count));
  return follower;
}

export function isLive({ client }: Follower): Promise<void> {
  return until(`a client is live (is ${client.state})`, () => client.state === 'live', 20_000);
}

/** Waits until the event with this number has arrived, and returns the room's numbers received so far. */
export async function hearsUpTo({ events }: Follower, role: Role, seq: number): Promise<number[]> {
  const seqs = () => events.filter((event) => event.role === role).map((event) => event.seq);
  await until(`event ${seq} of the room arrives`, () => seqs().includes(seq), 20_000);
  return seqs();
}

/** Cursor storage in memory, standing in for the browser's. */
export function memory(): CursorStorage & { last?: Last } {
  return {
    load() {
      return this.last;
    },
    save(last) {
      this.last = { ...last };
    },
  };
}
