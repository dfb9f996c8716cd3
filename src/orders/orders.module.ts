import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CommandsModule } from '../commands/commands.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StaffModule } from '../staff/staff.module.js';
import { StoresModule } from '../stores/stores.module.js';
import { FindingController } from './finding.controller.js';
import { OrderEntity } from './order.entity.js';
import { OrderExport } from './order.export.js';
import { orderHandlers } from './order.handlers.js';
import { OrderLineExport } from './order.line.export.js';
import { OrderLookup } from './order.lookup.js';
import { OrderMetrics } from './order.metrics.js';
import { OrderScheduler } from './order.scheduler.js';
import { OrderSearch } from './order.search.js';
import { OrderAddress, OrderNote } from './order.words.entity.js';
import { OrderWordsReader } from './order.words.js';
import { OrdersController } from './orders.controller.js';
import { OrdersGateway } from './orders.gateway.js';
import { OrdersService } from './orders.service.js';
import { WordsErasure } from './words.erasure.js';
import { WordsRetention } from './words.retention.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([OrderEntity, OrderAddress, OrderNote]),
    CommandsModule.forFeature(orderHandlers),
    StaffModule,
    RoomsModule,
    StoresModule,
  ],
  controllers: [FindingController, OrdersController],
  providers: [
    OrdersGateway,
    OrdersService,
    OrderWordsReader,
    OrderScheduler,
    OrderSearch,
    OrderLookup,
    OrderMetrics,
    OrderExport,
    OrderLineExport,
    WordsErasure,
    WordsRetention,
  ],
  exports: [OrdersService, OrderExport, WordsErasure, OrderScheduler, WordsRetention],
})
export class OrdersModule {}
