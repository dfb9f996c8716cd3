import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from '../../src/contract/orders.js';
import type { TopupPage } from '../../src/contract/payments.js';
import type { Person } from './person.js';
import type { ShopClient } from './shop.client.js';
import type { StripeServer } from './stripe.server.js';

const PAUSE_MS = 100;
const COPIES_MAX = 3;
const SHARE = { expires: 0.1, unpaid: 0.05, told: 0.85, toldTwice: 0.3, cancelled: 0.25, shipped: 0.8, withdrawn: 0.5 };
/** Refusals that are a part of the game. */
const EXPECTED = ['ORDER_STATE', 'INSUFFICIENT_FUNDS', 'BAD_MESSAGE', 'OUT_OF_STOCK'];

/** Buyers who pay at a provider's page, and sellers who ship and withdraw, over HTTP, until they are told to stop. */
export class ShopRun {
  readonly counts = { orders: 0, topups: 0, events: 0, withdrawals: 0 };
  readonly faults: string[] = [];
  private isOver = false;
  private readonly people: Promise<void>[] = [];

  constructor(
    private readonly client: ShopClient,
    private readonly stripe: StripeServer,
    private readonly random: () => number,
  ) {}

  start(buyers: readonly Person[], sellers: readonly Person[]): void {
    for (const buyer of buyers) this.people.push(this.loop(() => this.buy(buyer, sellers)));
    for (const seller of sellers) this.people.push(this.loop(() => this.withdraw(seller)));
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.people);
  }

  private async loop(turn: () => Promise<void>): Promise<void> {
    while (!this.isOver) {
      await turn().catch((error: unknown) => this.faults.push(String(error)));
      await sleep(this.random() * PAUSE_MS);
    }
  }

  private happens(what: keyof typeof SHARE): boolean {
    return this.random() < SHARE[what];
  }

  private async buy(buyer: Person, sellers: readonly Person[]): Promise<void> {
    const seller = sellers[Math.floor(this.random() * sellers.length)];
    if (!seller) return;
    const order = await this.post<Order>(buyer, '/orders', {
      storeId: seller.storeId,
      items: [{ bookId: 'book-1', count: 1 + Math.floor(this.random() * COPIES_MAX) }],
      deliverTo: { name: buyer.userId, lines: ['12 High Street'] },
      note: 'Ring twice.',
    });
    if (!order) return;
    this.counts.orders += 1;
    const { orderId, total: amount } = order;
    const topup = await this.post<TopupPage>(buyer, '/wallet/topups', { amount, orderId });
    if (topup) await this.payAt(topup.topupId);
    if (this.happens('cancelled')) await this.post(buyer, `/orders/${orderId}/cancel`, {});
    else if (this.happens('shipped') && (await this.post(seller, `/orders/${orderId}/ship`, {}))) {
      await this.post(buyer, `/orders/${orderId}/receive`, {});
    }
  }

  /** Somebody pays, or not; the provider's event comes once, twice at once, or never. */
  private async payAt(topupId: string): Promise<void> {
    this.counts.topups += 1;
    if (this.happens('unpaid')) return;
    const event = this.happens('expires') ? this.stripe.expire(topupId) : this.stripe.pay(topupId);
    if (!this.happens('told')) return;
    const times = this.happens('toldTwice') ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => this.tell(event)));
  }

  /** As Stripe does: again until it is taken. */
  private async tell(event: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      this.counts.events += 1;
      const answer = await this.stripe.send(this.client.anyUrl(), event).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(PAUSE_MS);
    }
    this.faults.push('an event of the provider was never taken');
  }

  private async withdraw(seller: Person): Promise<void> {
    await sleep(PAUSE_MS * 5);
    if (!this.happens('withdrawn')) return;
    const amount = 1 + Math.floor(this.random() * 2_000);
    if (await this.post(seller, '/wallet/withdrawals', { amount })) this.counts.withdrawals += 1;
  }

  /** The data of a success; undefined for a refusal that may come. */
  private async post<Data>(person: Person, path: string, body: object): Promise<Data | undefined> {
    const answer = await this.client.post<Data>(person, path, body);
    if (answer.ok) return answer.data;
    if (!EXPECTED.includes(answer.error.code)) this.faults.push(`${path}: ${JSON.stringify(answer.error)}`);
    return undefined;
  }
}
