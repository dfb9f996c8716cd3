import { Module } from '@nestjs/common';
import { HubNodes } from './hub.nodes.js';
import { HubWatch } from './hub.watch.js';
import { OldEvents } from './old.events.js';
import { RoomFeeds } from './room.feeds.js';
import { RoomsService } from './rooms.service.js';

@Module({
  providers: [RoomsService, RoomFeeds, HubNodes, HubWatch, OldEvents],
  exports: [RoomsService, RoomFeeds, HubNodes, OldEvents],
})
export class RoomsModule {}
