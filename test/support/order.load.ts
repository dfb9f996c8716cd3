import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { roles } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import type { DefaultClient } from './default.client.js';
import { type TestHub, until } from './hub.js';
import type { Person } from './person.js';
import { codeOf, pick } from './ways.js';

const ORDER_EVERY_MS = 50;
/** A command is answered within five seconds, by the contract. */
const ANSWER_WITHIN_MS = 6_000;
/** A cluster needs some seconds to agree on who writes. */
const SETTLED_WITHIN_MS = 60_000;
/** A hub waits for its database, and a client between two attempts. */
const CAUGHT_UP_WITHIN_MS = 60_000;

interface LoadClient {
  person: Person;
  client: DefaultClient;
}

/** Buyers who order through default Socket.IO clients in turn, each order with its key until it is settled. */
export class OrderLoad {
  private readonly codes: Record<string, number> = {};
  private orders = 0;
  private slowestMs = 0;
  private isOver = false;
  private buying: Promise<unknown> = Promise.resolve();

  /** The clients are connected; buyers and sellers have some each. The first book of each store does not run out. */
  constructor(
    private readonly clients: readonly LoadClient[],
    private readonly buyers: readonly Person[],
    private readonly sellers: readonly Person[],
  ) {}

  async start(): Promise<void> {
    await until('everybody is connected', () => this.clients.every(({ client }) => client.ready > 0));
    this.buying = Promise.all(this.buyers.map((buyer, index) => this.buy(buyer, index)));
    // It is awaited in `end`.
    this.buying.catch(() => {});
  }

  /** Ends the load, and expects every order to have been placed once, and every client to have all events in order. Returns counts. */
  async end(hub: TestHub): Promise<Record<string, unknown>> {
    this.isOver = true;
    await this.buying;
    const heads = await hub.rows<{ role: string; userId: string; head: number }>(
      'SELECT role, user_id AS userId, head FROM rooms WHERE head > 0',
    );
    const ownHeads = heads.filter(({ userId }) => this.clients.some(({ person }) => person.userId === userId));
    for (const { person, client } of this.clients) await this.expectAll(person, client, ownHeads);
    const sold = ownHeads.filter(({ role }) => role === 'seller').reduce((sum, { head }) => sum + Number(head), 0);
    expect([this.orders > 0, sold]).toEqual([true, this.orders]);
    expect(this.codes.INTERNAL).toBeUndefined();
    const disconnects = this.clients.reduce((sum, { client }) => sum + client.disconnects.length, 0);
    for (const { client } of this.clients) client.socket.disconnect();
    return { orders: this.orders, codes: this.codes, 'slowest ms': Math.round(this.slowestMs), disconnects };
  }

  private async buy(buyer: Person, index: number): Promise<void> {
    const own = this.clients.filter(({ person }) => person.userId === buyer.userId);
    for (let count = 0; !this.isOver; count++) {
      const { storeId } = pick(this.sellers, index + count);
      const request = { storeId, items: [{ bookId: 'book-1', count: 1 }], key: `${buyer.userId}-${count}` };
      await this.settle(pick(own, count).client.socket as unknown as Socket, request);
      await sleep(ORDER_EVERY_MS);
    }
  }

  private async settle(socket: Socket, request: object): Promise<void> {
    const begun = performance.now();
    for (;;) {
      const sending: Promise<Answer<unknown>> = socket.timeout(ANSWER_WITHIN_MS).emitWithAck('order:place', request);
      const code = await sending.then(codeOf, () => 'no answer');
      this.codes[code] = (this.codes[code] ?? 0) + 1;
      const ms = performance.now() - begun;
      if (code === 'OK') {
        this.orders++;
        this.slowestMs = Math.max(this.slowestMs, ms);
        return;
      }
      if (ms > SETTLED_WITHIN_MS) throw new Error(`An order is not settled: ${code}`);
      await sleep(ORDER_EVERY_MS);
    }
  }

  private async expectAll(
    person: Person,
    client: DefaultClient,
    heads: readonly { role: string; userId: string; head: number }[],
  ): Promise<void> {
    const expected = heads
      .filter(({ userId }) => userId === person.userId)
      .flatMap(({ role, head }) => Array.from({ length: Number(head) }, (_, index) => `${role} ${index + 1}`));
    await until(
      `${person.userId} has received ${expected.length} events (${client.events.length}, ${client.disconnects})`,
      () => client.socket.connected && client.events.length >= expected.length,
      CAUGHT_UP_WITHIN_MS,
    );
    for (const role of roles) {
      const ofRole = (events: string[]) => events.filter((event) => event.startsWith(role));
      expect(ofRole(client.events)).toEqual(ofRole(expected));
    }
  }
}
