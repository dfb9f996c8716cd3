import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Role } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import { Clerk, isForStaff } from './clerk.js';
import type { ClientCommand, ClientData, ClientRequest, History } from './history.js';
import { until } from './hub.js';
import { BOOKS_A_STORE, type MarketUser, SCARCE } from './market.seed.js';
import { ReconnectingClient } from './reconnecting.client.js';

const CONNECTED_WITHIN_MS = 30_000;
const FINISHED_WITHIN_MS = 60_000;

/** A deterministic random generator in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const READY_AT = '2999-01-01T12:00:00.000Z';

/** A choice that both parties of an order, and a run with the same events, make alike. */
function lastDigitOf(orderId: string): number {
  return Number.parseInt(orderId.slice(-1), 16);
}

interface ClientPoolOptions {
  users: readonly MarketUser[];
  /** The current hubs. */
  urls: () => readonly string[];
  history: History;
  seed: number;
  /** The share of commands right after which the client disconnects. */
  disconnects?: number;
  /** The longest pause of a buyer between two orders. */
  pauseMs?: number;
  /** The last events that an earlier pool's clients received, by user id. */
  returning?: ReadonlyMap<string, Record<Role, number>>;
}

/**
 * Buyers and sellers under load: buyers order, pay, cancel (also in part), and receive what an event says is shipped; sellers ship
 * what an event says is paid, some of it in parcels, and refund some. What a seller with staff leaves to it, the clerks see, claim
 * and ship. The seed determines their choices.
 */
export class ClientPool {
  readonly clients: readonly ReconnectingClient[];
  private readonly storeIds: readonly string[];
  private readonly inFlight = new Set<Promise<unknown>>();
  private readonly failures: unknown[] = [];
  private closing = false;
  private finished = 0;

  constructor(private readonly options: ClientPoolOptions) {
    const { users, urls, history, seed, disconnects, returning } = options;
    this.storeIds = users.flatMap(({ storeId }) => (storeId === '' ? [] : [storeId]));
    this.clients = users.map(
      ({ userId, token, actingFor }, index) =>
        new ReconnectingClient({
          userId,
          token,
          actingFor,
          clientId: `client-of-${userId}${history.beginning.floor > 0 ? `-after-${history.beginning.floor}` : ''}`,
          urls,
          history,
          random: seeded(seed * 1_000 + index),
          ...(disconnects === undefined ? {} : { disconnects }),
          ...(returning?.has(userId) ? { last: { buyer: 0, seller: 0, ...returning.get(userId) } } : {}),
        }),
    );
  }

  /** Commands with a final answer. */
  get answered(): number {
    return this.finished;
  }

  /** Connects all clients and starts the load. */
  async start(): Promise<this> {
    const { users } = this.options;
    const employers = new Set(users.map(({ actingFor }) => actingFor));
    this.clients.forEach((client, index) => {
      const { storeId = '', actingFor } = users[index] ?? {};
      client.onEvent = actingFor === undefined ? this.party(client, employers) : this.clerk(client);
      client.start();
      if (storeId === '' && actingFor === undefined)
        this.track(this.buy(client, seeded(this.options.seed * 2_000 + index)));
    });
    await this.everyoneConnected();
    return this;
  }

  /** Stops issuing commands and waits for the pending answers. The clients stay connected. Returns the command counts. */
  async close(): Promise<Record<string, Record<string, number>>> {
    this.closing = true;
    await until('every command is answered', () => this.inFlight.size === 0, FINISHED_WITHIN_MS);
    if (this.failures.length > 0) throw this.failures[0];
    await this.everyoneConnected();
    return this.options.history.counts();
  }

  /** Disconnects all clients. */
  async stop(): Promise<void> {
    this.closing = true;
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  /** Waits until each client was connected once: while connections are being cut, all at the same time may never happen. */
  private async everyoneConnected(): Promise<void> {
    const connected = new Set<ReconnectingClient>();
    await until(
      'every client has connected',
      () => {
        for (const client of this.clients) {
          if (client.failure) throw client.failure;
          if (client.connected) connected.add(client);
        }
        return connected.size === this.clients.length;
      },
      CONNECTED_WITHIN_MS,
    );
  }

  private async buy(buyer: ReconnectingClient, random: () => number): Promise<void> {
    const { pauseMs = 0 } = this.options;
    while (!this.closing) {
      if (random() < 0.03)
        await this.submit(buyer, random, 'wallet:deposit', { amount: 1 + Math.floor(random() * 500) });
      if (random() < 0.02)
        await this.submit(buyer, random, 'wallet:withdraw', { amount: 1 + Math.floor(random() * 100) });
      const placed = await this.submit(buyer, random, 'order:place', this.basket(random));
      if (placed.ok) await this.finishOrder(buyer, random, placed.data);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, random() * pauseMs));
    }
  }

  private async finishOrder(
    buyer: ReconnectingClient,
    random: () => number,
    { orderId, total, items }: Order,
  ): Promise<void> {
    if (random() < 0.1) {
      await this.submit(buyer, random, 'order:cancel', { orderId, reason: 'changed my mind' });
      return;
    }
    const paid = await this.submit(buyer, random, 'order:pay', { orderId });
    if (!paid.ok && paid.error.code === 'INSUFFICIENT_FUNDS') {
      await this.submit(buyer, random, 'wallet:deposit', { amount: total * 10 });
      await this.submit(buyer, random, 'order:pay', { orderId });
    }
    // May race with the seller's shipping.
    if (random() < 0.1) await this.submit(buyer, random, 'order:cancel', { orderId });
    const [{ bookId } = { bookId: '' }] = items;
    if (random() < 0.1) await this.submit(buyer, random, 'order:cancel', { orderId, items: [{ bookId, count: 1 }] });
  }

  private clerk(client: ReconnectingClient): (event: OrderStatusPush) => void {
    const clerk = new Clerk((name, request) => this.submit(client, () => 1, name, request));
    return (event) => {
      const digit = lastDigitOf(event.orderId);
      if (!this.closing && event.command === 'pay' && isForStaff(digit)) this.track(clerk.takeCare(event, digit));
    };
  }

  private party(
    client: ReconnectingClient,
    employers: ReadonlySet<string | undefined>,
  ): (event: OrderStatusPush) => void {
    const isLeft = (event: OrderStatusPush) => employers.has(client.userId) && isForStaff(lastDigitOf(event.orderId));
    return (event) => this.react(client, event, isLeft(event));
  }

  /** Issues the command that follows from an event. What a seller leaves to the staff it ships itself now and then. */
  private react(client: ReconnectingClient, event: OrderStatusPush, isLeft: boolean): void {
    const { role, status, command, orderId, by } = event;
    const digit = lastDigitOf(orderId);
    if (this.closing || by === 'hub') return;
    const isShipped = role === 'seller' && command === 'pay' && (!isLeft || digit === 15);
    if (isShipped) this.track(this.ship(client, event));
    if (role === 'buyer' && command === 'ship') this.track(this.submit(client, () => 1, 'order:receive', { orderId }));
    const isRefunded = role === 'seller' && status === 'received' && command === 'receive' && digit % 4 === 0;
    if (isRefunded) this.track(this.submit(client, () => 1, 'order:refund', { orderId, amount: 1 }));
  }

  /** Ships most orders whole, and some in two parcels, with a wrong tracking number or a refund between them. */
  private async ship(seller: ReconnectingClient, { orderId }: OrderStatusPush): Promise<void> {
    const digit = lastDigitOf(orderId);
    const submit = <Name extends ClientCommand>(name: Name, request: ClientRequest<Name>) =>
      this.submit(seller, () => 1, name, request);
    if (digit % 4 === 1) await submit('order:accept', { orderId, readyAt: READY_AT });
    if (digit < 4) {
      // The order may hold another book: then this is refused.
      const items = [{ bookId: `book-${1 + digit}`, count: 1 }];
      const shipped = await submit('order:ship', { orderId, items, carrier: 'Owl', trackingNo: 'typo' });
      if (shipped.ok && digit === 2) await submit('order:refund', { orderId, items, restock: true });
      if (shipped.ok && digit === 3) await submit('order:track', { orderId, parcel: 1, trackingNo: 'mended' });
    }
    await submit('order:ship', { orderId, carrier: 'Owl' });
  }

  /** A random basket; now and then the contended book, or more copies than its stock. */
  private basket(random: () => number): ClientRequest<'order:place'> {
    const storeId = this.storeIds[Math.floor(random() * this.storeIds.length)] ?? '';
    const kind = random();
    if (kind < 0.02) return { storeId, items: [{ bookId: 'book-1', count: SCARCE + 1 }] };
    if (kind < 0.2) return { storeId, items: [{ bookId: 'book-1', count: 1 }] };
    const books = 1 + Math.floor(random() * (BOOKS_A_STORE - 1));
    const items = Array.from({ length: books }, (_, index) => ({ bookId: `book-${index + 2}`, count: 1 + index }));
    return { storeId, items };
  }

  /** Submits a command; occasionally twice at once with the same key. */
  private async submit<Name extends ClientCommand>(
    client: ReconnectingClient,
    random: () => number,
    message: Name,
    request: ClientRequest<Name>,
  ): Promise<Answer<ClientData<Name>>> {
    if (random() >= 0.03) return this.count(client.do(message, request));
    const key = `twice-${client.events}-${Math.floor(random() * 2 ** 32).toString(36)}`;
    const [answer] = await Promise.all(
      [request, request].map((same) => this.count(client.do(message, { ...same, key }))),
    );
    if (!answer) throw new Error('A command that was sent twice has no answer');
    return answer;
  }

  private async count<T>(answer: Promise<T>): Promise<T> {
    const result = await answer;
    this.finished += 1;
    return result;
  }

  private track(work: Promise<unknown>): void {
    const tracked = work
      .catch((error: unknown) => this.failures.push(error))
      .finally(() => this.inFlight.delete(tracked));
    this.inFlight.add(tracked);
  }
}
