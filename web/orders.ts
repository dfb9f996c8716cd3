import { allowedCommands, type OrderCommand, type OrderStatus, type Role } from '../src/contract/lifecycle.js';
import type { Order, OrderWithTimeline } from '../src/contract/orders.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { hear, hub } from './hub.js';
import { Store, useStore } from './store.js';

/** An order as the page knows it; with its timeline once somebody looked at it closely. */
export type KnownOrder = Order & Partial<Pick<OrderWithTimeline, 'timeline'>>;

/** A page that is open all day knows so many orders at most: those that are over are forgotten first. */
const KNOWN_MAX = 500;
const KNOWN_AFTER_FORGETTING = 400;
export const PAGE = 20;

const timeOf = {
  placed: 'placedAt',
  paid: 'paidAt',
  shipped: 'shippedAt',
  received: 'receivedAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<OrderStatus, keyof Order>;

/** The orders of one role of the person who is logged in, as told by lists, answers and events, whichever is newest. */
export class Orders {
  readonly known = new Store<ReadonlyMap<string, KnownOrder>>(new Map());
  private readonly unread = new Set<string>();
  private reading = false;

  constructor(readonly role: Role) {
    hear('fresh', () => {
      this.unread.clear();
      this.known.set(new Map());
    });
    hear('order', (event) => {
      if (event.role === role) this.follow(event);
    });
  }

  /** Takes in what the hub answered. Of two tellings of one order, the higher version is the newer. */
  keep(...orders: KnownOrder[]): void {
    const known = new Map(this.known.get());
    for (const order of orders) {
      const before = known.get(order.orderId);
      if (before && before.version > order.version) continue;
      const timeline = order.timeline ?? (before?.version === order.version ? before.timeline : undefined);
      known.set(order.orderId, timeline ? { ...order, timeline } : order);
    }
    this.known.set(known.size > KNOWN_MAX ? forgetOldest(known) : known);
  }

  /** Reads one page of the hub's list, newest first, and gives where the next begins. */
  async read(status: OrderStatus | undefined, after: string | null): Promise<string | null> {
    const { items, next } = await hub().list({
      role: this.role,
      limit: PAGE,
      ...(status ? { status } : {}),
      ...(after ? { after } : {}),
    });
    this.keep(...items);
    return next;
  }

  async look(orderId: string): Promise<void> {
    this.keep(await hub().get(orderId));
  }

  private follow(event: OrderStatusPush): void {
    const order = this.known.get().get(event.orderId);
    if (order) this.keep(moved(order, event));
    else this.readLater(event.orderId);
  }

  /** An order that is not known is read, one at a time: after a long absence there may be many. */
  private async readLater(orderId: string): Promise<void> {
    this.unread.add(orderId);
    if (this.reading) return;
    this.reading = true;
    for (const next of this.unread) {
      this.unread.delete(next);
      if (!this.known.get().has(next)) await this.look(next).catch(() => undefined);
    }
    this.reading = false;
  }
}

function moved(order: KnownOrder, event: OrderStatusPush): KnownOrder {
  if (event.version <= order.version) return order;
  const { role, version, status, by, at, carrier, trackingNo, cancelReason } = event;
  return {
    ...order,
    version,
    status,
    [timeOf[status]]: at,
    carrier: carrier ?? order.carrier,
    trackingNo: trackingNo ?? order.trackingNo,
    cancelReason: cancelReason ?? order.cancelReason,
    allowed: allowedCommands(status, role, false),
    ...(order.timeline ? { timeline: [...order.timeline, { version, status, by, at }] } : {}),
  };
}

function forgetOldest(known: Map<string, KnownOrder>): Map<string, KnownOrder> {
  const isOver = ({ status }: KnownOrder) => status === 'received' || status === 'cancelled';
  // Ids sort by the time of placing.
  const keepFirst = [...known.values()].sort(
    (a, b) => Number(isOver(a)) - Number(isOver(b)) || (a.orderId < b.orderId ? 1 : -1),
  );
  return new Map(keepFirst.slice(0, KNOWN_AFTER_FORGETTING).map((order) => [order.orderId, order]));
}

export const ordersOf = { buyer: new Orders('buyer'), seller: new Orders('seller') };

/** The known orders, newest first. */
export function useOrders(role: Role): KnownOrder[] {
  const known = useStore(ordersOf[role].known);
  return [...known.values()].sort((a, b) => (a.orderId < b.orderId ? 1 : -1));
}

/** What was asked for an order and is not answered yet, and what went wrong with what was asked last. */
export interface Doing {
  command?: OrderCommand;
  error?: unknown;
}
const doing = new Store<ReadonlyMap<string, Doing>>(new Map());

export function useDoing(orderId: string): Doing {
  return useStore(doing).get(orderId) ?? {};
}

/** Gives a command for an order. The page shows it as pending until the hub has answered, never as done. */
export async function give(
  role: Role,
  orderId: string,
  command: OrderCommand,
  send: () => Promise<Order>,
): Promise<boolean> {
  note(orderId, { command });
  try {
    ordersOf[role].keep(await send());
    note(orderId, undefined);
    return true;
  } catch (error) {
    note(orderId, { error });
    ordersOf[role].look(orderId).catch(() => undefined);
    return false;
  }
}

function note(orderId: string, what: Doing | undefined): void {
  doing.change((now) => {
    const next = new Map(now);
    if (what) next.set(orderId, what);
    else next.delete(orderId);
    return next;
  });
}

/** The end of an id: the beginning is the time, the same for all orders of a while. */
export function shortId(orderId: string): string {
  return orderId.slice(-6);
}
