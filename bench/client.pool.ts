import type { OrderStatusPush } from '../src/contract/rooms.js';
import { BenchSocket } from './bench.socket.js';
import type { Meter } from './meter.js';
import type { Market, Participant } from './wire.js';

const CONNECT_BATCH = 100;
/** Shipping is the only change made by the seller. */
const SHIPPED_VERSION = 3;

/** The sockets of all parties, spread over the processes of the system under test. */
export class ClientPool {
  readonly buyers: BenchSocket[] = [];
  readonly sellers: BenchSocket[] = [];
  private readonly idle: BenchSocket[] = [];
  private opened = 0;

  constructor(
    private readonly urls: readonly string[],
    private readonly market: Market,
    private readonly meter: Meter,
  ) {}

  async connect(): Promise<void> {
    const { buyers, sellers } = this.market;
    await this.openAll(buyers, this.buyers);
    await this.openAll(sellers, this.sellers);
  }

  connectIdle(parties: readonly Participant[]): Promise<void> {
    return this.openAll(parties, this.idle);
  }

  close(): void {
    for (const socket of [...this.buyers, ...this.sellers, ...this.idle]) socket.close();
  }

  private async openAll(parties: readonly Participant[], sockets: BenchSocket[]): Promise<void> {
    for (let start = 0; start < parties.length; start += CONNECT_BATCH) {
      const batch = parties.slice(start, start + CONNECT_BATCH);
      sockets.push(...(await Promise.all(batch.map((party) => this.open(party)))));
    }
  }

  private open({ token }: Participant): Promise<BenchSocket> {
    const url = this.urls[this.opened++ % this.urls.length] ?? '';
    const handlers = { 'order:status': (push: OrderStatusPush) => this.onPush(push) };
    return BenchSocket.open(url, { token }, handlers, (reason) => this.meter.errors.push(`socket closed: ${reason}`));
  }

  private onPush({ role, orderId, version }: OrderStatusPush): void {
    this.meter.pushes[role]++;
    const isOtherParty = (role === 'seller') !== (version === SHIPPED_VERSION);
    if (isOtherParty) this.meter.changeSeen(`${orderId} ${version}`, 'push');
  }
}
