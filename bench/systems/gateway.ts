import { Injectable, UsePipes, ValidationPipe } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Server, Socket } from 'socket.io';
import { parseOrder } from '../../src/commands/order.columns.js';
import type { OrderEntity } from '../../src/orders/order.entity.js';
import { presentOrder } from '../../src/orders/order.presenter.js';

class ItemDto {
  @IsString() @MaxLength(64) bookId!: string;
  @IsInt() @Min(1) @Max(1_000_000) count!: number;
}
export class PlaceDto {
  @IsString() @MaxLength(64) storeId!: string;
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => ItemDto) items!: ItemDto[];
  @IsOptional() @IsString() @MaxLength(64) key?: string;
}
export class ChangeDto {
  @IsString() @MaxLength(64) orderId!: string;
  @IsOptional() @IsString() @MaxLength(100) carrier?: string;
  @IsOptional() @IsString() @MaxLength(100) trackingNo?: string;
  @IsOptional() @IsString() @MaxLength(64) key?: string;
}

/** The service behind the gateway; each command is one transaction. */
export abstract class Orders {
  abstract authenticate(token: string): Promise<string | undefined>;
  abstract place(userId: string, message: PlaceDto): Promise<OrderEntity>;
  abstract pay(userId: string, message: ChangeDto): Promise<OrderEntity>;
  abstract ship(userId: string, message: ChangeDto): Promise<OrderEntity>;
  abstract receive(userId: string, message: ChangeDto): Promise<OrderEntity>;
}

const STATUSES = ['placed', 'paid', 'shipped', 'received'];

/** A conventional gateway: a validated message, a service call, a push to both parties' rooms, the answer returned. */
@Injectable()
@WebSocketGateway({ serveClient: false })
@UsePipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }))
export class OrdersGateway implements OnGatewayInit<Server> {
  @WebSocketServer() private readonly server!: Server;

  constructor(private readonly orders: Orders) {}

  afterInit(server: Server): void {
    server.use(async (socket, next) => {
      const userId = await this.orders.authenticate(socket.handshake.auth.token);
      socket.data.userId = userId;
      await socket.join([`buyer:${userId}`, `seller:${userId}`]);
      next(userId ? undefined : new Error('UNAUTHENTICATED'));
    });
  }

  @SubscribeMessage('order:place')
  async place(@ConnectedSocket() socket: Socket, @MessageBody() message: PlaceDto) {
    return this.publish(socket, await this.orders.place(socket.data.userId, message));
  }

  @SubscribeMessage('order:pay')
  async pay(@ConnectedSocket() socket: Socket, @MessageBody() message: ChangeDto) {
    return this.publish(socket, await this.orders.pay(socket.data.userId, message));
  }

  @SubscribeMessage('order:ship')
  async ship(@ConnectedSocket() socket: Socket, @MessageBody() message: ChangeDto) {
    return this.publish(socket, await this.orders.ship(socket.data.userId, message));
  }

  @SubscribeMessage('order:receive')
  async receive(@ConnectedSocket() socket: Socket, @MessageBody() message: ChangeDto) {
    return this.publish(socket, await this.orders.receive(socket.data.userId, message));
  }

  private publish(socket: Socket, entity: OrderEntity) {
    const { userId } = socket.data;
    const now = Date.now();
    const { orderId, version, status, storeId, buyerId, sellerId, total } = entity;
    const previous = version > 1 ? STATUSES[version - 2] : null;
    const push = {
      seq: version,
      orderId,
      version,
      status,
      previous,
      storeId,
      buyerId,
      sellerId,
      total,
      by: userId,
      at: new Date(now).toISOString(),
    };
    this.server.to(`buyer:${buyerId}`).emit('order:status', { role: 'buyer', ...push });
    this.server.to(`seller:${sellerId}`).emit('order:status', { role: 'seller', ...push });
    return { ok: true, data: presentOrder(parseOrder(entity), userId === buyerId ? 'buyer' : 'seller', now) };
  }
}
