import { Module } from '@nestjs/common';
import { RoomFeeds } from './room.feeds.js';
import { RoomsService } from './rooms.service.js';

@Module({ providers: [RoomsService, RoomFeeds], exports: [RoomsService, RoomFeeds] })
export class RoomsModule {}
