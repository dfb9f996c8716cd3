import { type OnGatewayConnection, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Page } from '../contract/fields.js';
import type { ListedOrder, Order, OrderWithTimeline } from '../contract/orders.js';
import type { RoomEvents } from '../contract/rooms.js';
import type { Answer, Data, Request } from '../contract/wire.js';
import type { Caller } from '../platform/caller.js';
import { retryRead } from '../platform/database/retry.read.js';
import type { HubSocket } from '../platform/sockets/hub.socket.js';
import type { MessageHandlers } from '../platform/sockets/message.handlers.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { EventPublisher } from '../rooms/event.publisher.js';
import { ActingAuthenticator } from '../staff/acting.authenticator.js';
import { OrdersService } from './orders.service.js';

/** One method for each message of the contract. The socket adapter parses requests before, and acknowledges answers after. */
@WebSocketGateway()
export class OrdersGateway implements MessageHandlers, OnGatewayConnection<HubSocket> {
  constructor(
    private readonly orders: OrdersService,
    private readonly publisher: EventPublisher,
    private readonly sockets: SocketRegistry,
    private readonly authenticator: ActingAuthenticator,
  ) {}

  /** The handshake has authenticated the socket. Its session or membership may have ended before the socket was registered. */
  async handleConnection(socket: HubSocket): Promise<void> {
    this.sockets.add(socket);
    const { caller } = socket.data;
    try {
      const ending = await retryRead(
        () => this.authenticator.endingOf(caller),
        () => socket.connected,
      );
      if (ending === undefined) await this.publisher.join(socket);
      else this.sockets.endSessions(caller.userId, ending, (other) => other === caller);
    } catch (error) {
      this.sockets.close(socket, 'session-check', error);
    }
  }

  @SubscribeMessage('order:place')
  place(caller: Caller, request: Request<'order:place'>): Promise<Answer<Order>> {
    return this.orders.place(caller, request);
  }

  @SubscribeMessage('order:pay')
  pay(caller: Caller, request: Request<'order:pay'>): Promise<Answer<Order>> {
    return this.orders.pay(caller, request);
  }

  @SubscribeMessage('order:accept')
  accept(caller: Caller, request: Request<'order:accept'>): Promise<Answer<Order>> {
    return this.orders.accept(caller, request);
  }

  @SubscribeMessage('order:ship')
  ship(caller: Caller, request: Request<'order:ship'>): Promise<Answer<Order>> {
    return this.orders.ship(caller, request);
  }

  @SubscribeMessage('order:receive')
  receive(caller: Caller, request: Request<'order:receive'>): Promise<Answer<Order>> {
    return this.orders.receive(caller, request);
  }

  @SubscribeMessage('order:cancel')
  cancel(caller: Caller, request: Request<'order:cancel'>): Promise<Answer<Order>> {
    return this.orders.cancel(caller, request);
  }

  @SubscribeMessage('order:refund')
  refund(caller: Caller, request: Request<'order:refund'>): Promise<Answer<Order>> {
    return this.orders.refund(caller, request);
  }

  @SubscribeMessage('order:track')
  track(caller: Caller, request: Request<'order:track'>): Promise<Answer<Order>> {
    return this.orders.track(caller, request);
  }

  @SubscribeMessage('order:note')
  note(caller: Caller, request: Request<'order:note'>): Promise<Answer<Order>> {
    return this.orders.note(caller, request);
  }

  @SubscribeMessage('order:readdress')
  readdress(caller: Caller, request: Request<'order:readdress'>): Promise<Answer<Order>> {
    return this.orders.readdress(caller, request);
  }

  @SubscribeMessage('order:seen')
  seen(caller: Caller, request: Request<'order:seen'>): Promise<Answer<Data<'order:seen'>>> {
    return this.orders.seen(caller, request);
  }

  @SubscribeMessage('order:claim')
  claim(caller: Caller, request: Request<'order:claim'>): Promise<Answer<Order>> {
    return this.orders.claim(caller, request);
  }

  @SubscribeMessage('order:get')
  get(caller: Caller, { orderId }: Request<'order:get'>): Promise<OrderWithTimeline> {
    return this.orders.get(caller, orderId);
  }

  @SubscribeMessage('order:list')
  list(caller: Caller, request: Request<'order:list'>): Promise<Page<ListedOrder>> {
    return this.orders.list(caller, request);
  }

  @SubscribeMessage('room:read')
  read(caller: Caller, request: Request<'room:read'>): Promise<RoomEvents> {
    return this.orders.events(caller, request);
  }
}
