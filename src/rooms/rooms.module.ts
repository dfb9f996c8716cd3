import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BatchFollower } from './batch.follower.js';
import { BatchLog } from './batch.log.js';
import { EventPublisher } from './event.publisher.js';
import { EventRetention } from './event.retention.js';
import { HeadPoller } from './head.poller.js';
import { HubBatch, Room, RoomEvent } from './room.entity.js';
import { RoomsService } from './rooms.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Room, RoomEvent, HubBatch])],
  providers: [RoomsService, EventPublisher, BatchLog, BatchFollower, HeadPoller, EventRetention],
  exports: [RoomsService, EventPublisher, BatchLog, EventRetention],
})
export class RoomsModule {}
