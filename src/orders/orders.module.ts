import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CommandsModule } from '../commands/commands.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { OrderCounts } from './order.counts.js';
import { OrderReads } from './order.reads.js';
import { OrdersController } from './orders.controller.js';
import { OrdersGateway } from './orders.gateway.js';

@Module({
  imports: [AuthModule, CommandsModule, RoomsModule],
  controllers: [OrdersController],
  providers: [OrdersGateway, OrderReads, OrderCounts],
  exports: [OrderReads],
})
export class OrdersModule {}
