import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import type { ClientCommand, ClientRequest } from './history.js';

/** Whether an order is the staff's to ship, by the last digit of its id: of the others the seller takes care. */
export function isForStaff(digit: number): boolean {
  return digit >= 10;
}

/** So many orders are marked as seen at once. */
const SEEN_AT_ONCE = 3;
const FREED = 11;
const LAPSED = 12;
const PART = 13;

type Submit = <Name extends ClientCommand>(name: Name, request: ClientRequest<Name>) => Promise<Answer<unknown>>;

/**
 * A member of a seller's staff. Every member hears of a paid order at once and does the same: marks it and the latest ones as seen,
 * claims it and ships it, so that all but one are refused.
 */
export class Clerk {
  private readonly latest: string[] = [];

  constructor(private readonly submit: Submit) {}

  /** Clerks compete with the seller, whom no claim binds. */
  async takeCare({ orderId }: OrderStatusPush, digit: number): Promise<void> {
    this.latest.push(orderId);
    if (this.latest.length > SEEN_AT_ONCE) this.latest.shift();
    await this.submit('order:seen', { orderIds: [...this.latest].reverse() });
    await this.submit('order:claim', { orderId, seconds: digit === LAPSED ? 1 : 60 });
    if (digit === FREED) await this.submit('order:claim', { orderId, seconds: 0 });
    if (digit === PART) {
      await this.submit('order:cancel', { orderId, items: [{ bookId: 'book-2', count: 1 }], reason: 'damaged' });
      await this.submit('order:accept', { orderId });
    }
    await this.submit('order:ship', { orderId, carrier: 'Owl' });
  }
}
