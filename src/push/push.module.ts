import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RoomsModule } from '../rooms/rooms.module.js';
import { PushController } from './push.controller.js';
import { PushDispatcher } from './push.dispatcher.js';
import { PushMessages } from './push.messages.js';
import { PushNotice } from './push.notice.entity.js';
import { PushNotices } from './push.notices.js';
import { PushPresence } from './push.presence.entity.js';
import { PushPresenceRecorder } from './push.presence.js';
import { PushRooms } from './push.rooms.js';
import { PushService } from './push.service.js';
import { PushCursor, PushSubscription } from './push.subscription.entity.js';
import { VapidKey } from './vapid.key.entity.js';
import { VapidKeys } from './vapid.keys.js';

@Module({
  imports: [TypeOrmModule.forFeature([PushSubscription, PushCursor, PushNotice, PushPresence, VapidKey]), RoomsModule],
  controllers: [PushController],
  providers: [VapidKeys, PushMessages, PushNotices, PushRooms, PushPresenceRecorder, PushDispatcher, PushService],
  exports: [PushService, PushDispatcher],
})
export class PushModule {}
