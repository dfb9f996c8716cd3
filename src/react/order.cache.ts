import type { HubClient } from '../client/connect.js';
import type { Order } from '../contract/orders.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import type { OrderStatus, Role } from '../contract/transitions.js';
import {
  applyEvent,
  evictableOf,
  isEvictable,
  type LoadedOrder,
  newestFirst,
  withoutUndefined,
} from './loaded.order.js';
import { Store } from './store.js';

/** The hub's lists of orders: of one status, or of all. */
export type ListName = OrderStatus | 'all';

/** Bounds the cache of a page that stays open all day. Orders to be paid or shipped, and pages the user loaded, stay. */
const EVICTABLE_MAX = 500;
const EVICTION_BATCH = 100;
const PAGE_SIZE = 20;
/** For lists that are loaded to their end. */
const BULK_PAGE_SIZE = 100;

/** Where the orders come from: the client of the user who is logged in, and what it hears. */
interface OrderSource {
  readonly client: HubClient;
  subscribe(name: 'invalidate', handler: () => void): () => void;
  subscribe(name: 'order', handler: (event: OrderStatusPush) => void): () => void;
}

/** The orders of one role of the logged-in user, from lists, answers and events; of each order the newest version. */
export class OrderCache {
  readonly byId = new Store<ReadonlyMap<string, LoadedOrder>>(new Map());
  /** The id of the last order loaded from each list: null at the list's end, absent for lists not loaded. */
  readonly cursors = new Store<ReadonlyMap<ListName, string | null>>(new Map());
  /** Incremented by every invalidation: lists have to be loaded again. */
  readonly generation = new Store(0);
  /** Orders to load, each in at least the version that an event named. */
  private readonly loadQueue = new Map<string, number>();
  private isDraining = false;
  /** Whether paid orders have a `shipBy`, which events do not tell: unknown until one was loaded. */
  private hasShipBy: boolean | undefined;
  private reads = 0;
  private inFlight = new Map<ListName, Promise<void>>();
  private evictableMax = EVICTABLE_MAX;

  constructor(
    readonly role: Role,
    private readonly source: OrderSource,
  ) {
    source.subscribe('invalidate', () => {
      this.loadQueue.clear();
      this.hasShipBy = undefined;
      this.inFlight = new Map();
      this.evictableMax = EVICTABLE_MAX;
      this.byId.set(new Map());
      this.cursors.set(new Map());
      this.generation.update((before) => before + 1);
    });
    source.subscribe('order', (event) => {
      if (event.role === role) this.apply(event);
    });
  }

  /** Adds or updates orders that the hub returned. An older version never replaces a newer one. */
  upsert(...orders: LoadedOrder[]): void {
    const byId = new Map(this.byId.get());
    for (const order of orders) {
      const cached = byId.get(order.orderId);
      if (cached && cached.version > order.version) continue;
      const timeline = order.timeline ?? (cached?.version === order.version ? cached.timeline : undefined);
      // Answers to commands are without these.
      const words = { deliverTo: cached?.deliverTo, notes: cached?.notes };
      byId.set(order.orderId, withoutUndefined({ ...words, ...order, timeline }));
    }
    this.byId.set(byId);
  }

  /** Loads the next page of a list, newest first. Concurrent calls share one request. */
  loadNextPage(list: ListName, isBulk = false): Promise<void> {
    const { inFlight } = this;
    const existing = inFlight.get(list);
    if (existing) return existing;
    const page = this.loadPage(list, isBulk ? BULK_PAGE_SIZE : PAGE_SIZE).finally(() => inFlight.delete(list));
    inFlight.set(list, page);
    return page;
  }

  /** Loads a list to its end. Concurrent calls share their requests. */
  async loadAll(list: ListName): Promise<void> {
    const generation = this.generation.get();
    while (generation === this.generation.get() && this.cursors.get().get(list) !== null) {
      await this.loadNextPage(list, true);
    }
  }

  async load(orderId: string): Promise<void> {
    const order = await this.read(this.source.client.get(orderId));
    this.learnTerms(order);
    this.upsert(order);
  }

  private async loadPage(list: ListName, limit: number): Promise<void> {
    const { inFlight, role } = this;
    const after = this.cursors.get().get(list);
    const status = list === 'all' ? {} : { status: list };
    const request = this.source.client
      .list({ role, limit, ...status, ...(after ? { after } : {}) })
      .catch((error: unknown) => {
        if (inFlight === this.inFlight) throw error;
      });
    const page = await this.read(request);
    // Invalidated meanwhile, for example by another login: drop the answer.
    if (!page || inFlight !== this.inFlight) return;
    for (const order of page.items) this.learnTerms(order);
    this.upsert(...page.items);
    // An eviction has moved the cursor up meanwhile: moving it down again would leave a gap.
    if (this.cursors.get().get(list) !== after) return;
    this.cursors.update((before) => new Map(before).set(list, page.next));
    // Never evict what the user has just loaded.
    this.evictableMax = Math.max(this.evictableMax, evictableOf(this.byId.get()).length + EVICTION_BATCH);
  }

  private apply(event: OrderStatusPush): void {
    const order = this.byId.get().get(event.orderId);
    const isNext = order !== undefined && event.version <= order.version + 1;
    const { command, status, previous } = event;
    // These do not tell what they changed, besides the version.
    const isCancel = command === 'cancel' || (command === 'timeout' && previous === 'paid');
    const isTold = command === 'seen' || (command === 'note' && !order?.notes);
    const isUntold = status === previous ? !isTold : isCancel && status !== 'cancelled';
    if (order && isUntold) this.enqueueLoad(event.orderId, event.version);
    else if (isNext) {
      this.upsert(applyEvent(order, event));
      if (command === 'pay' && this.hasShipBy !== false) this.load(event.orderId).catch(() => undefined);
    } else if (order || this.mustLoad(event)) this.enqueueLoad(event.orderId, event.version);
    this.evict();
  }

  private learnTerms({ paidAt, shipBy }: Order): void {
    if (paidAt !== null) this.hasShipBy = this.hasShipBy === true || shipBy !== null;
  }

  /** Counts the request as under way: its answer may be older than an event that arrives meanwhile. */
  private async read<T>(request: Promise<T>): Promise<T> {
    this.reads++;
    try {
      return await request;
    } finally {
      this.reads--;
    }
  }

  /** Whether to load an order that an event named. One beyond the loaded pages, which waits for nothing, comes with its page. */
  private mustLoad({ orderId, status }: OrderStatusPush): boolean {
    if (!isEvictable(status) || this.reads > 0) return true;
    const cursors = this.cursors.get();
    return (['all', status] as const).some((list) => {
      const cursor = cursors.get(list);
      return cursor === null || (cursor !== undefined && cursor < orderId);
    });
  }

  /** Evicts the oldest evictable orders, and moves the cursors of lists that reached down to them. */
  private evict(): void {
    const evictable = evictableOf(this.byId.get());
    if (evictable.length <= this.evictableMax) return;
    const evicted = evictable.slice(this.evictableMax - EVICTION_BATCH);
    const byId = new Map(this.byId.get());
    for (const { orderId } of evicted) byId.delete(orderId);
    const cursors = new Map(this.cursors.get());
    for (const [list, cursor] of cursors) {
      const isInList = ({ status }: LoadedOrder) => list === 'all' || list === status;
      const newest = evicted
        .filter(isInList)
        .reduce((latest, { orderId }) => (orderId > latest ? orderId : latest), '');
      if (newest === '' || (cursor !== null && cursor > newest)) continue;
      const above = [...byId.values()].filter((order) => isInList(order) && order.orderId > newest).sort(newestFirst);
      const last = above.at(-1);
      if (last) cursors.set(list, last.orderId);
      else cursors.delete(list);
    }
    this.byId.set(byId);
    this.cursors.set(cursors);
  }

  /**
   * Loads an order that an event named, one at a time: after a long time offline there may be many. A list that was read before
   * the event may arrive after it, so an order counts as loaded only in the event's version.
   */
  private async enqueueLoad(orderId: string, version: number): Promise<void> {
    this.loadQueue.set(orderId, version);
    if (this.isDraining) return;
    this.isDraining = true;
    for (const [next, announced] of this.loadQueue) {
      this.loadQueue.delete(next);
      const loaded = this.byId.get().get(next)?.version ?? 0;
      if (loaded < announced) await this.load(next).catch(() => undefined);
      this.evict();
    }
    this.isDraining = false;
  }
}
