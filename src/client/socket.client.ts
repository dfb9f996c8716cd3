import { HubError } from '../contract/errors.js';
import type { Last, OrderStatusPush, RoomReadyPush } from '../contract/rooms.js';
import { type Role, roles } from '../contract/transitions.js';
import { Connection } from './connection.js';
import type { CursorStorage } from './cursor.storage.js';
import type { ClientEvents, ClientState, ConnectOptions, EndedReason, HubClient } from './hub.client.js';
import { Listeners } from './listeners.js';
import { Outbox } from './outbox.js';
import { RoomReader } from './room.reader.js';

/** The client: one reconnecting connection, an outbox of unanswered calls, and a reader for each of the two rooms. */
export class SocketClient implements HubClient {
  state: ClientState = 'offline';
  private readonly listeners = new Listeners<ClientEvents>();
  private readonly connection: Connection;
  private readonly outbox: Outbox;
  private readonly rooms: Record<Role, RoomReader>;
  private readonly storage: CursorStorage | undefined;
  private isConnected = false;
  private isReady = false;
  private isClosed = false;
  /** Events delivered since the client was last live. */
  private missed = 0;

  constructor(options: ConnectOptions) {
    this.storage = options.storage;
    const last = this.storage?.load();
    this.connection = new Connection(options, {
      last: () => this.cursors(),
      connected: () => this.connected(),
      disconnected: () => this.disconnected(),
      ended: (reason) => this.ended(reason),
    });
    this.outbox = new Outbox(this.connection.post, (count) => this.listeners.emit('pending', count));
    this.rooms = { buyer: this.createRoom('buyer', last), seller: this.createRoom('seller', last) };
    const { socket } = this.connection;
    socket.on('order:status', (event) => this.rooms[event.role].receive(event));
    socket.on('room:ready', (push) => this.ready(push));
    socket.on('book:stock', (push) => void this.listeners.emit('stock', push));
    socket.on('store:status', (push) => void this.listeners.emit('store', push));
    socket.on('order:claimed', (push) => void this.listeners.emit('claimed', push));
    socket.on('wallet:changed', (push) => void this.listeners.emit('wallet', push));
    this.connection.open();
  }

  get last(): { buyer: number; seller: number } {
    const { buyer = 0, seller = 0 } = this.cursors();
    return { buyer, seller };
  }

  readonly place: HubClient['place'] = (request, options) => this.outbox.send('order:place', request, options);
  readonly pay: HubClient['pay'] = (request, options) => this.outbox.send('order:pay', request, options);
  readonly accept: HubClient['accept'] = (request, options) => this.outbox.send('order:accept', request, options);
  readonly ship: HubClient['ship'] = (request, options) => this.outbox.send('order:ship', request, options);
  readonly receive: HubClient['receive'] = (request, options) => this.outbox.send('order:receive', request, options);
  readonly cancel: HubClient['cancel'] = (request, options) => this.outbox.send('order:cancel', request, options);
  readonly refund: HubClient['refund'] = (request, options) => this.outbox.send('order:refund', request, options);
  readonly track: HubClient['track'] = (request, options) => this.outbox.send('order:track', request, options);
  readonly note: HubClient['note'] = (request, options) => this.outbox.send('order:note', request, options);
  readonly readdress: HubClient['readdress'] = (request, options) =>
    this.outbox.send('order:readdress', request, options);
  readonly seen: HubClient['seen'] = (request, options) => this.outbox.send('order:seen', request, options);
  readonly claim: HubClient['claim'] = (request, options) => this.outbox.send('order:claim', request, options);
  readonly get: HubClient['get'] = (orderId, options) => this.outbox.send('order:get', { orderId }, options);
  readonly list: HubClient['list'] = (request, options) => this.outbox.send('order:list', request, options);
  readonly read: HubClient['read'] = (request, options) => this.outbox.send('room:read', request, options);

  on<Name extends keyof ClientEvents>(name: Name, listener: (...values: ClientEvents[Name]) => void): () => void {
    return this.listeners.on(name, listener);
  }

  close(): void {
    this.isClosed = true;
    this.listeners.clear();
    this.connection.close();
    this.disconnected();
    this.outbox.close(new HubError('CLOSED', 'This client was closed.'));
  }

  private createRoom(role: Role, last: Last | undefined): RoomReader {
    return new RoomReader(last?.[role], {
      deliver: (event) => this.deliver(event),
      reset: () => void this.listeners.emit('reset', { role }),
      readingChanged: () => this.stateChanged(),
      read: (after) => this.read({ role, after }),
    });
  }

  private cursors(): Last {
    const { buyer, seller } = this.rooms;
    return { buyer: buyer.last, seller: seller.last };
  }

  private connected(): void {
    this.isConnected = true;
    this.stateChanged();
    // Without cursors, calls wait for the rooms' heads in `room:ready`: otherwise the client could miss its own events.
    if (roles.every((role) => this.rooms[role].last !== undefined)) this.outbox.connected();
  }

  private disconnected(): void {
    this.isConnected = false;
    this.isReady = false;
    this.outbox.disconnected();
    this.stateChanged();
  }

  private ready(push: RoomReadyPush): void {
    for (const role of roles) this.rooms[role].ready(push.rooms[role]);
    this.saveCursors();
    this.isReady = true;
    this.listeners.emit('ready', push);
    this.stateChanged();
    this.outbox.connected();
  }

  private deliver(event: OrderStatusPush): void {
    // A listener may have closed the client: events after that stay undelivered.
    if (this.isClosed) return;
    if (this.state !== 'live') this.missed++;
    // After a listener has thrown, the cursor is saved with the next event.
    if (this.listeners.emit('order', event)) this.saveCursors();
  }

  /** Saves after the errors of listeners are reported, so that a program that dies of one receives the event again. */
  private saveCursors(): void {
    const cursors = this.cursors();
    queueMicrotask(() => this.storage?.save(cursors));
  }

  private stateChanged(): void {
    const isReading = roles.some((role) => this.rooms[role].isReading);
    const state = !this.isConnected ? 'offline' : this.isReady && !isReading ? 'live' : 'catching up';
    if (state === this.state) return;
    this.state = state;
    const { missed } = this;
    if (state === 'live') this.missed = 0;
    this.listeners.emit('state', state, { missed });
  }

  private ended(reason: EndedReason): void {
    this.disconnected();
    this.outbox.close(new HubError('UNAUTHENTICATED'));
    this.listeners.emit('ended', { reason });
  }
}
