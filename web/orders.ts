import { allowedCommands, type OrderCommand, type OrderStatus, type Role } from '../src/contract/lifecycle.js';
import type { Order, OrderWithTimeline } from '../src/contract/orders.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { hear, hub } from './hub.js';
import { Store, useStore } from './store.js';

/** An order as the page knows it; with its timeline once somebody looked at it closely. */
export type KnownOrder = Order & Partial<Pick<OrderWithTimeline, 'timeline'>>;

/** The hub's lists of orders: of one status, or of all. */
export type ListName = OrderStatus | 'all';

/** A page that is open all day knows so many orders at most that nobody has to act on, beside those that were asked for. */
const KNOWN_MAX = 500;
/** So many are forgotten at once. */
const FORGOTTEN_AT_ONCE = 100;
const PAGE = 20;
/** Where a list is wanted to its end. */
const WHOLE_PAGE = 100;

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
  /** Down to which order each list is known: null at its end. A list that nobody has asked for is not there. */
  readonly reach = new Store<ReadonlyMap<ListName, string | null>>(new Map());
  private readonly unread = new Set<string>();
  private reading = false;
  private asked = new Map<ListName, Promise<void>>();
  private settledMax = KNOWN_MAX;

  constructor(readonly role: Role) {
    hear('fresh', () => {
      this.unread.clear();
      this.asked = new Map();
      this.settledMax = KNOWN_MAX;
      this.known.set(new Map());
      this.reach.set(new Map());
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
    this.known.set(known);
  }

  /** Reads the next page of a list, newest first. Asked again before it has come, it is asked for once. */
  read(list: ListName, isWhole = false): Promise<void> {
    const { asked } = this;
    const before = asked.get(list);
    if (before) return before;
    const page = this.readPage(list, isWhole ? WHOLE_PAGE : PAGE).finally(() => asked.delete(list));
    asked.set(list, page);
    return page;
  }

  async look(orderId: string): Promise<void> {
    this.keep(await hub().get(orderId));
  }

  private async readPage(list: ListName, limit: number): Promise<void> {
    const { asked, role } = this;
    const after = this.reach.get().get(list);
    const status = list === 'all' ? {} : { status: list };
    const page = await hub()
      .list({ role, limit, ...status, ...(after ? { after } : {}) })
      .catch((error: unknown) => {
        if (asked === this.asked) throw error;
      });
    // Somebody else has logged in meanwhile, or all is read anew.
    if (!page || asked !== this.asked) return;
    this.keep(...page.items);
    this.reach.change((before) => new Map(before).set(list, page.next));
    // What a person has asked for is not forgotten under their eyes.
    this.settledMax = Math.max(this.settledMax, settledOf(this.known.get()).length + FORGOTTEN_AT_ONCE);
  }

  private follow(event: OrderStatusPush): void {
    const order = this.known.get().get(event.orderId);
    if (order) this.keep(moved(order, event));
    else this.readLater(event.orderId);
    this.forget();
  }

  /** The oldest that nobody has to act on are forgotten; a list that was known further ends above them now. */
  private forget(): void {
    const settled = settledOf(this.known.get());
    if (settled.length <= this.settledMax) return;
    const forgotten = settled.slice(this.settledMax - FORGOTTEN_AT_ONCE);
    const known = new Map(this.known.get());
    for (const { orderId } of forgotten) known.delete(orderId);
    const reach = new Map(this.reach.get());
    for (const [list, downTo] of reach) {
      const isIn = ({ status }: KnownOrder) => list === 'all' || list === status;
      const newest = forgotten.filter(isIn).reduce((latest, { orderId }) => (orderId > latest ? orderId : latest), '');
      if (newest === '' || (downTo !== null && downTo > newest)) continue;
      const above = [...known.values()].filter((order) => isIn(order) && order.orderId > newest).sort(newestFirst);
      const end = above.at(-1);
      if (end) reach.set(list, end.orderId);
      else reach.delete(list);
    }
    this.known.set(known);
    this.reach.set(reach);
  }

  /** An order that is not known is read, one at a time: after a long absence there may be many. */
  private async readLater(orderId: string): Promise<void> {
    this.unread.add(orderId);
    if (this.reading) return;
    this.reading = true;
    for (const next of this.unread) {
      this.unread.delete(next);
      if (!this.known.get().has(next)) await this.look(next).catch(() => undefined);
      this.forget();
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

/** Ids sort by the time of placing. */
function newestFirst(a: KnownOrder, b: KnownOrder): number {
  return a.orderId < b.orderId ? 1 : -1;
}

/** The orders that nobody has to pay or to ship: those on their way, then those that are over, each newest first. */
function settledOf(known: ReadonlyMap<string, KnownOrder>): KnownOrder[] {
  const isOver = ({ status }: KnownOrder) => status === 'received' || status === 'cancelled';
  return [...known.values()]
    .filter((order) => order.status === 'shipped' || isOver(order))
    .sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || newestFirst(a, b));
}

export const ordersOf = { buyer: new Orders('buyer'), seller: new Orders('seller') };

/** The known orders, newest first. */
export function useOrders(role: Role): KnownOrder[] {
  const known = useStore(ordersOf[role].known);
  return [...known.values()].sort(newestFirst);
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
