import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CommandQueue } from '../commands/command.queue.js';
import { orderBytes, orderColumns, parseOrder } from '../commands/order.columns.js';
import { HubError } from '../contract/errors.js';
import { PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type { CountsRequest, StatusCounts } from '../contract/finding.js';
import type { ListRequest } from '../contract/order.requests.js';
import type { ListedOrder, Order, OrderWithTimeline } from '../contract/orders.js';
import type { Right } from '../contract/rights.js';
import type { ReadRequest, RoomEvents } from '../contract/rooms.js';
import { HUB, openStatuses, type Role } from '../contract/transitions.js';
import type { Answer, CommandMessageName, Data, Request } from '../contract/wire.js';
import { accountOf, type Caller, missingRight, requireSide } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { PageReader } from '../platform/database/page.reader.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { OrderEntity } from './order.entity.js';
import { termsOf } from './order.filters.js';
import { actorOf, isOrderId, presentDeliverTo, presentOrder, presentOrderWithTimeline } from './order.presenter.js';
import { OrderSearch } from './order.search.js';
import { noteCountOf } from './order.timeline.js';
import { addressBytes, OrderWordsReader } from './order.words.js';

/** What an order of a few lines takes in an answer. */
const SEEN_ORDER_BYTES = 2_048;

const rightOfRole: Record<Role, Right> = { buyer: 'buy', seller: 'sell' };

/** Orders, for sockets and HTTP alike: commands go to the queue, reads go to the database. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly commands: CommandQueue,
    private readonly clock: Clock,
    private readonly database: Database,
    private readonly pages: PageReader,
    private readonly reads: ReadLimiter,
    private readonly words: OrderWordsReader,
    private readonly search: OrderSearch,
    private readonly rooms: RoomsService,
    @InjectRepository(OrderEntity) private readonly orders: Repository<OrderEntity>,
  ) {}

  place(caller: Caller, request: Request<'order:place'>): Promise<Answer<Order>> {
    return this.submit('order:place', caller, request);
  }

  pay(caller: Caller, request: Request<'order:pay'>): Promise<Answer<Order>> {
    return this.submit('order:pay', caller, request);
  }

  accept(caller: Caller, request: Request<'order:accept'>): Promise<Answer<Order>> {
    return this.submit('order:accept', caller, request);
  }

  ship(caller: Caller, request: Request<'order:ship'>): Promise<Answer<Order>> {
    return this.submit('order:ship', caller, request);
  }

  receive(caller: Caller, request: Request<'order:receive'>): Promise<Answer<Order>> {
    return this.submit('order:receive', caller, request);
  }

  async cancel(caller: Caller, request: Request<'order:cancel'>): Promise<Answer<Order>> {
    await this.requireRightOfParty(caller, request.orderId);
    return this.submit('order:cancel', caller, request);
  }

  refund(caller: Caller, request: Request<'order:refund'>): Promise<Answer<Order>> {
    return this.submit('order:refund', caller, request);
  }

  track(caller: Caller, request: Request<'order:track'>): Promise<Answer<Order>> {
    return this.submit('order:track', caller, request);
  }

  async note(caller: Caller, request: Request<'order:note'>): Promise<Answer<Order>> {
    await this.requireRightOfParty(caller, request.orderId);
    return this.submit('order:note', caller, request);
  }

  async readdress(caller: Caller, request: Request<'order:readdress'>): Promise<Answer<Order>> {
    await this.requireRightOfParty(caller, request.orderId);
    return this.submit('order:readdress', caller, request);
  }

  seen(caller: Caller, request: Request<'order:seen'>): Promise<Answer<Data<'order:seen'>>> {
    const bytes = request.orderIds.length * SEEN_ORDER_BYTES;
    return this.reads.command(caller.readKey, bytes, () => this.submit('order:seen', caller, request));
  }

  claim(caller: Caller, request: Request<'order:claim'>): Promise<Answer<Order>> {
    return this.submit('order:claim', caller, request);
  }

  /** Both parties may send it, the buyer with one right and the seller with another. An order's parties never change. */
  private async requireRightOfParty({ userId, rights, acting }: Caller, orderId: string): Promise<void> {
    if (rights.has('buy') && rights.has('sell')) return;
    const stored = isOrderId(orderId) ? await this.orders.findOneBy({ orderId }) : null;
    const actor = stored ? actorOf(stored, userId, acting) : undefined;
    const right = actor && actor !== HUB ? rightOfRole[actor] : undefined;
    if (right && !rights.has(right)) throw missingRight(right);
  }

  /** One order with its timeline, its address and its notes, for its parties. */
  async get({ userId, acting }: Caller, orderId: string): Promise<OrderWithTimeline> {
    const sql = `SELECT ${orderColumns}, deliver_to AS deliverTo FROM orders LEFT JOIN order_addresses USING (order_id)
      WHERE order_id = ?`;
    const [stored]: (OrderEntity & { deliverTo: string | null })[] = isOrderId(orderId)
      ? await this.orders.query(sql, [orderId])
      : [];
    if (!stored) throw new HubError('ORDER_NOT_FOUND');
    const order = parseOrder(stored);
    const actor = actorOf(order, userId, acting);
    if (!actor) throw new HubError('FORBIDDEN');
    const notes = noteCountOf(order) > 0 ? await this.words.notes([orderId]) : [];
    const words = { deliverTo: stored.deliverTo ?? undefined, notes };
    return presentOrderWithTimeline(order, words, actor, this.clock.now());
  }

  /** The user's orders in this role, newest first: ids sort by the time of placing, so the last id of a page is its cursor. */
  async list(caller: Caller, { q, limit = PAGE_LIMIT_DEFAULT, ...request }: ListRequest): Promise<Page<ListedOrder>> {
    const { role } = request;
    requireSide(caller, role);
    const { readKey } = caller;
    const { inCondition } = this.database.dialect;
    const filters = { userId: accountOf(caller), ...request };
    const { where, values } = termsOf(filters, this.database.dialect);
    const matches = q === undefined ? undefined : await this.search.find(readKey, q, { ...filters, limit });
    const [isMatch, matching] = matches ? inCondition.values('order_id', ['', ...matches.orderIds]) : ['1 = 1', []];
    // Plain SQL: building the query and its entities with TypeORM takes longer than the rest of a list.
    const found: { orderId: string; bytes: number; addressBytes: number }[] = await this.orders.query(
      `SELECT order_id AS orderId, ${orderBytes} AS bytes, ${addressBytes} AS addressBytes FROM orders WHERE ${where} AND ${isMatch} ORDER BY order_id DESC LIMIT ?`,
      [...values, ...matching, limit + 1],
    );
    const addressed = new Set(found.filter((row) => row.addressBytes > 0).map(({ orderId }) => orderId));
    const read = async (orderIds: string[]) => {
      const [condition, ids] = inCondition.values('order_id', orderIds);
      const sql = `SELECT ${orderColumns} FROM orders WHERE ${where} AND ${condition} ORDER BY order_id DESC`;
      const [stored, addresses] = await Promise.all([
        this.orders.query(sql, [...values, ...ids]) as Promise<OrderEntity[]>,
        this.words.addresses(orderIds.filter((orderId) => addressed.has(orderId))),
      ]);
      const now = this.clock.now();
      return stored.map((row) => ({
        ...presentOrder(parseOrder(row), role, now),
        deliverTo: presentDeliverTo(addresses.get(row.orderId)),
      }));
    };
    const rows = found.map((row) => ({ key: row.orderId, bytes: row.bytes + row.addressBytes }));
    return this.pages.read({ readKey, rows, limit, read, cursorOf: (orderId) => orderId, more: matches?.more });
  }

  /** How many orders of each status there are on the caller's side. */
  async counts(caller: Caller, { role }: CountsRequest): Promise<StatusCounts> {
    requireSide(caller, role);
    return this.rooms.counts(role, accountOf(caller));
  }

  /** `room:read`. */
  async events(caller: Caller, request: ReadRequest): Promise<RoomEvents> {
    requireSide(caller, request.role);
    return this.rooms.read(accountOf(caller), request);
  }

  /** How many open orders the user has, as buyer or as seller. */
  async countOpen(tx: Tx, userId: string): Promise<number> {
    return tx
      .withRepository(this.orders)
      .createQueryBuilder('o')
      .where('(o.buyerId = :userId OR o.sellerId = :userId) AND o.status IN (:...openStatuses)', {
        userId,
        openStatuses,
      })
      .getCount();
  }

  private submit<Name extends CommandMessageName>(name: Name, caller: Caller, request: Request<Name>) {
    return this.commands.submit(name, caller.userId, request, caller);
  }
}
