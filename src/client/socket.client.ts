import { Refusal } from '../contract/errors.js';
import { type Role, roles } from '../contract/lifecycle.js';
import type { Last, OrderStatusPush, RoomReadyPush } from '../contract/rooms.js';
import type { ClientEvents, ClientState, ConnectOptions, EndedReason, HubClient } from './hub.client.js';
import { HubError } from './hub.error.js';
import type { LastStorage } from './last.storage.js';
import { Line } from './line.js';
import { Listeners } from './listeners.js';
import { Outbox } from './outbox.js';
import { RoomReader } from './room.reader.js';

/** The client over one socket: a line that comes back, calls that wait for their answers, and two rooms that are heard. */
export class SocketClient implements HubClient {
  state: ClientState = 'offline';
  private readonly listeners = new Listeners<ClientEvents>();
  private readonly line: Line;
  private readonly outbox: Outbox;
  private readonly rooms: Record<Role, RoomReader>;
  private readonly storage: LastStorage | undefined;
  private isUp = false;
  private isReady = false;
  private isClosed = false;
  /** Events heard since the client was live. */
  private missed = 0;

  constructor(options: ConnectOptions) {
    this.storage = options.storage;
    const last = this.storage?.load();
    this.line = new Line(options, {
      last: () => this.heard(),
      up: () => this.up(),
      down: () => this.down(),
      ended: (reason) => this.ended(reason),
    });
    this.outbox = new Outbox(this.line.post, (count) => this.listeners.tell('pending', count));
    this.rooms = { buyer: this.room('buyer', last), seller: this.room('seller', last) };
    const { socket } = this.line;
    socket.on('order:status', (event) => this.rooms[event.role].hear(event));
    socket.on('room:ready', (push) => this.ready(push));
    socket.on('book:stock', (push) => void this.listeners.tell('stock', push));
    this.line.open();
  }

  get last(): { buyer: number; seller: number } {
    const { buyer = 0, seller = 0 } = this.heard();
    return { buyer, seller };
  }

  readonly place: HubClient['place'] = (request, options) => this.outbox.send('order:place', request, options);
  readonly pay: HubClient['pay'] = (request, options) => this.outbox.send('order:pay', request, options);
  readonly ship: HubClient['ship'] = (request, options) => this.outbox.send('order:ship', request, options);
  readonly receive: HubClient['receive'] = (request, options) => this.outbox.send('order:receive', request, options);
  readonly cancel: HubClient['cancel'] = (request, options) => this.outbox.send('order:cancel', request, options);
  readonly get: HubClient['get'] = (orderId, options) => this.outbox.send('order:get', { orderId }, options);
  readonly list: HubClient['list'] = (request, options) => this.outbox.send('order:list', request, options);
  readonly read: HubClient['read'] = (request, options) => this.outbox.send('room:read', request, options);

  on<Name extends keyof ClientEvents>(name: Name, listener: (...values: ClientEvents[Name]) => void): () => void {
    return this.listeners.on(name, listener);
  }

  close(): void {
    this.isClosed = true;
    this.listeners.dismiss();
    this.line.close();
    this.down();
    this.outbox.close(new HubError({ code: 'CLOSED', message: 'This client was closed.', retryable: false }));
  }

  private room(role: Role, last: Last | undefined): RoomReader {
    return new RoomReader(last?.[role], {
      deliver: (event) => this.deliver(event),
      reset: () => void this.listeners.tell('reset', { role }),
      readingChanged: () => this.stateChanged(),
      read: (after) => this.read({ role, after }),
    });
  }

  private heard(): Last {
    const { buyer, seller } = this.rooms;
    return { buyer: buyer.last, seller: seller.last };
  }

  private up(): void {
    this.isUp = true;
    this.stateChanged();
    // Who begins at the present waits until the hub has said where that is, and so hears of what it does itself.
    if (roles.every((role) => this.rooms[role].last !== undefined)) this.outbox.open();
  }

  private down(): void {
    this.isUp = false;
    this.isReady = false;
    this.outbox.lose();
    this.stateChanged();
  }

  private ready(push: RoomReadyPush): void {
    for (const role of roles) this.rooms[role].ready(push.rooms[role]);
    this.store();
    this.isReady = true;
    this.listeners.tell('ready', push);
    this.stateChanged();
    this.outbox.open();
  }

  private deliver(event: OrderStatusPush): void {
    // Closed by a listener, it has heard nothing of what follows.
    if (this.isClosed) return;
    if (this.state !== 'live') this.missed++;
    // One that was not heard to the end is stored with the next.
    if (this.listeners.tell('order', event)) this.store();
  }

  /** After what a listener has thrown was reported: a program that dies of it hears the event again. */
  private store(): void {
    const heard = this.heard();
    queueMicrotask(() => this.storage?.save(heard));
  }

  private stateChanged(): void {
    const isReading = roles.some((role) => this.rooms[role].isReading);
    const state = !this.isUp ? 'offline' : this.isReady && !isReading ? 'live' : 'catching up';
    if (state === this.state) return;
    this.state = state;
    const { missed } = this;
    if (state === 'live') this.missed = 0;
    this.listeners.tell('state', state, { missed });
  }

  private ended(reason: EndedReason): void {
    this.down();
    this.outbox.close(new HubError(new Refusal('UNAUTHENTICATED').toBody()));
    this.listeners.tell('ended', { reason });
  }
}
