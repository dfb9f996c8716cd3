import type { OrderStatusPush } from '../src/contract/rooms.js';
import { Line } from './line.js';
import type { Meter } from './meter.js';
import type { Market, Party } from './wire.js';

const CONNECTING_AT_ONCE = 100;
/** The one change that a seller makes: shipping. */
const SHIPPED_VERSION = 3;

/** The sockets of everybody in the market, spread over the processes of a system. */
export class Crowd {
  readonly buyers: Line[] = [];
  readonly sellers: Line[] = [];
  private readonly idle: Line[] = [];
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

  connectIdle(parties: readonly Party[]): Promise<void> {
    return this.openAll(parties, this.idle);
  }

  close(): void {
    for (const line of [...this.buyers, ...this.sellers, ...this.idle]) line.close();
  }

  private async openAll(parties: readonly Party[], lines: Line[]): Promise<void> {
    for (let start = 0; start < parties.length; start += CONNECTING_AT_ONCE) {
      const some = parties.slice(start, start + CONNECTING_AT_ONCE);
      lines.push(...(await Promise.all(some.map((party) => this.open(party)))));
    }
  }

  private open({ token }: Party): Promise<Line> {
    const url = this.urls[this.opened++ % this.urls.length] ?? '';
    const ears = { 'order:status': (push: OrderStatusPush) => this.hear(push) };
    return Line.open(url, { token }, ears, (why) => this.meter.faults.push(`cut off: ${why}`));
  }

  private hear({ role, orderId, version }: OrderStatusPush): void {
    this.meter.pushes[role]++;
    const isOther = (role === 'seller') !== (version === SHIPPED_VERSION);
    if (isOther) this.meter.met(`${orderId} ${version}`, true);
  }
}
