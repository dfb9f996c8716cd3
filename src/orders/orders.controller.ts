import { Controller } from '@nestjs/common';
import type { Page } from '../contract/fields.js';
import type { ListRequest } from '../contract/order.requests.js';
import type { ListedOrder, Order, OrderWithTimeline } from '../contract/orders.js';
import type { ReadRequest, RoomEvents } from '../contract/rooms.js';
import type { Answer, Data, Request, RouteRequest } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import { ContractRoute, CurrentUser, Input } from '../platform/http/contract.route.js';
import { OrdersService } from './orders.service.js';

/** The gateway's messages for callers without a socket. */
@Controller()
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @ContractRoute('place')
  place(@CurrentUser() caller: Caller, @Input() request: Request<'order:place'>): Promise<Answer<Order>> {
    return this.orders.place(caller, request);
  }

  @ContractRoute('pay')
  pay(@CurrentUser() caller: Caller, @Input() request: Request<'order:pay'>): Promise<Answer<Order>> {
    return this.orders.pay(caller, request);
  }

  @ContractRoute('accept')
  accept(@CurrentUser() caller: Caller, @Input() request: Request<'order:accept'>): Promise<Answer<Order>> {
    return this.orders.accept(caller, request);
  }

  @ContractRoute('ship')
  ship(@CurrentUser() caller: Caller, @Input() request: Request<'order:ship'>): Promise<Answer<Order>> {
    return this.orders.ship(caller, request);
  }

  @ContractRoute('receive')
  receive(@CurrentUser() caller: Caller, @Input() request: Request<'order:receive'>): Promise<Answer<Order>> {
    return this.orders.receive(caller, request);
  }

  @ContractRoute('cancel')
  cancel(@CurrentUser() caller: Caller, @Input() request: Request<'order:cancel'>): Promise<Answer<Order>> {
    return this.orders.cancel(caller, request);
  }

  @ContractRoute('refund')
  refund(@CurrentUser() caller: Caller, @Input() request: Request<'order:refund'>): Promise<Answer<Order>> {
    return this.orders.refund(caller, request);
  }

  @ContractRoute('track')
  track(@CurrentUser() caller: Caller, @Input() request: Request<'order:track'>): Promise<Answer<Order>> {
    return this.orders.track(caller, request);
  }

  @ContractRoute('note')
  note(@CurrentUser() caller: Caller, @Input() request: Request<'order:note'>): Promise<Answer<Order>> {
    return this.orders.note(caller, request);
  }

  @ContractRoute('readdress')
  readdress(@CurrentUser() caller: Caller, @Input() request: Request<'order:readdress'>): Promise<Answer<Order>> {
    return this.orders.readdress(caller, request);
  }

  @ContractRoute('seen')
  seen(
    @CurrentUser() caller: Caller,
    @Input() { orderId, ...request }: RouteRequest<'seen'>,
  ): Promise<Answer<Data<'order:seen'>>> {
    return this.orders.seen(caller, { orderIds: [orderId], ...request });
  }

  @ContractRoute('claim')
  claim(@CurrentUser() caller: Caller, @Input() request: Request<'order:claim'>): Promise<Answer<Order>> {
    return this.orders.claim(caller, request);
  }

  @ContractRoute('orders')
  list(@CurrentUser() caller: Caller, @Input() request: ListRequest): Promise<Page<ListedOrder>> {
    return this.orders.list(caller, request);
  }

  @ContractRoute('order')
  get(@CurrentUser() caller: Caller, @Input() { orderId }: Request<'order:get'>): Promise<OrderWithTimeline> {
    return this.orders.get(caller, orderId);
  }

  @ContractRoute('roomEvents')
  events(@CurrentUser() caller: Caller, @Input() request: ReadRequest): Promise<RoomEvents> {
    return this.orders.events(caller, request);
  }
}
