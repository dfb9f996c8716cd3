import { connect } from '../../src/client/connect.js';
import type { ClientState, EndedReason, HubClient } from '../../src/client/hub.client.js';
import type { LastStorage } from '../../src/client/last.storage.js';
import type { Role } from '../../src/contract/lifecycle.js';
import type { BookStockPush, Last, OrderStatusPush, RoomReadyPush } from '../../src/contract/rooms.js';
import { until } from './hub.js';

/** A page of the client library, and all that it was told, from its first moment on. */
export interface Follower {
  client: HubClient;
  events: OrderStatusPush[];
  states: ClientState[];
  /** With how many changes that came in meanwhile it became live, each time. */
  missed: number[];
  ready: RoomReadyPush[];
  resets: Role[];
  stock: BookStockPush[];
  ended: EndedReason[];
  pending: number[];
}

export function follow(url: string, { token }: { token: string }, storage?: LastStorage): Follower {
  const client = connect({ url, token, ...(storage ? { storage } : {}) });
  const follower: Follower = {
    client,
    events: [],
    states: [],
    missed: [],
    ready: [],
    resets: [],
    stock: [],
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
  client.on('ended', ({ reason }) => follower.ended.push(reason));
  client.on('pending', (count) => follower.pending.push(count));
  return follower;
}

export function isLive({ client }: Follower): Promise<void> {
  return until(`a client is live (is ${client.state})`, () => client.state === 'live', 20_000);
}

/** Waits until the last event that was heard of this room has this number, and gives the numbers of all. */
export async function hearsUpTo({ events }: Follower, role: Role, seq: number): Promise<number[]> {
  const seqs = () => events.filter((event) => event.role === role).map((event) => event.seq);
  await until(`event ${seq} of the room is heard`, () => seqs().includes(seq), 20_000);
  return seqs();
}

/** What a browser keeps across page loads. */
export function memory(): LastStorage & { last?: Last } {
  return {
    load() {
      return this.last;
    },
    save(last) {
      this.last = { ...last };
    },
  };
}
