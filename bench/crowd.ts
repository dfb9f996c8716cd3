import { io, type Socket } from 'socket.io-client';
import type { OrderStatusPush, RoomReadyPush } from '../src/contract/rooms.js';
import type { Meter } from './meter.js';
import type { Market, Party } from './wire.js';

const CONNECTING_AT_ONCE = 100;
/** The one change that a seller makes: shipping. */
const SHIPPED_VERSION = 3;

/** The sockets of everybody in the market, spread over the processes of a system. */
export class Crowd {
  readonly buyers: Socket[] = [];
  readonly sellers: Socket[] = [];
  private readonly idle: Socket[] = [];
  private opened = 0;

  constructor(
    private readonly urls: readonly string[],
    private readonly market: Market,
    private readonly meter: Meter,
  ) {}

  async connect(): Promise<void> {
    const open = (party: Party) => this.open(party);
    const { buyers, sellers, idle } = this.market;
    this.buyers.push(...(await Promise.all(buyers.map(open))));
    this.sellers.push(...(await Promise.all(sellers.map(open))));
    for (let start = 0; start < idle.length; start += CONNECTING_AT_ONCE) {
      this.idle.push(...(await Promise.all(idle.slice(start, start + CONNECTING_AT_ONCE).map(open))));
    }
  }

  close(): void {
    for (const socket of [...this.buyers, ...this.sellers, ...this.idle]) socket.close();
  }

  /** Somebody comes back who has seen nothing yet. Gives how long it took until everything was told, in milliseconds. */
  async replay({ token }: Party, missed: number): Promise<number> {
    const socket = this.dial(token, { buyer: 0 });
    const from = performance.now();
    let heard = 0;
    socket.on('order:status', () => {
      heard++;
    });
    const ready = await new Promise<RoomReadyPush>((resolve) => socket.once('room:ready', resolve));
    const ms = performance.now() - from;
    if (heard !== missed || !ready.rooms.buyer.complete) this.meter.faults.push(`replayed ${heard} of ${missed}`);
    socket.close();
    return ms;
  }

  private async open({ token }: Party): Promise<Socket> {
    const socket = this.dial(token);
    socket.on('order:status', (push: OrderStatusPush) => this.hear(push));
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') this.meter.faults.push(`cut off: ${reason}`);
    });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    return socket;
  }

  private dial(token: string, last?: { buyer: number }): Socket {
    const url = this.urls[this.opened++ % this.urls.length];
    const auth = last ? { token, last } : { token };
    return io(url, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
  }

  private hear({ role, orderId, version }: OrderStatusPush): void {
    this.meter.pushes[role]++;
    const isOther = (role === 'seller') !== (version === SHIPPED_VERSION);
    if (isOther) this.meter.met(`${orderId} ${version}`, true);
  }
}
