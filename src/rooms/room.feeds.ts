import { Injectable } from '@nestjs/common';
import { roles } from '../contract/lifecycle.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import type { Push } from '../contract/wire.js';
import { jsonText } from '../platform/json.text.js';
import { Logger } from '../platform/logger.js';
import { Metrics } from '../platform/metrics.js';
import type { HubSocket } from '../platform/socket.js';
import type { RoomHead } from './hub.nodes.js';
import { RoomFeed } from './room.feed.js';
import { RoomsService } from './rooms.service.js';

/** The feeds of the sockets that are connected here: where committed events are handed to those who are to hear them. */
@Injectable()
export class RoomFeeds {
  private readonly byUser = new Map<string, Set<RoomFeed>>();

  constructor(
    private readonly rooms: RoomsService,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {
    metrics.observeRooms(() => this.byUser.size * roles.length);
  }

  /** Joins a socket to its user's two rooms. No client can name a room: they follow from who it is. */
  async join(socket: HubSocket): Promise<void> {
    // Gone already, it would never tell that it goes.
    if (!socket.connected) return;
    const { userId } = socket.data.caller;
    const feed = new RoomFeed(socket, this.rooms, this.metrics);
    const feeds = this.byUser.get(userId) ?? new Set();
    // Before its first read, so that nothing committed from now on can pass it by.
    this.byUser.set(userId, feeds.add(feed));
    socket.once('disconnect', () => {
      feeds.delete(feed);
      if (feeds.size === 0 && this.byUser.get(userId) === feeds) this.byUser.delete(userId);
    });
    try {
      await feed.start();
    } catch (error) {
      this.logger.warn(
        { error: String(error) },
        'a socket could not be brought up to date and is cut; it comes back with last',
      );
      socket.disconnect(true);
    }
  }

  /** Hands out events that were committed, in the order of their numbers. */
  publish(events: readonly { userId: string; push: OrderStatusPush }[]): void {
    for (const { userId, push } of events) {
      const feeds = this.byUser.get(userId);
      if (!feeds) continue;
      // Every device of the user is sent the same.
      if (feeds.size > 1) jsonText(push);
      for (const feed of feeds) feed.offer(push);
    }
  }

  /** Rooms that another hub has written to: feeds that are behind read what they lack. */
  hint(rooms: readonly RoomHead[]): void {
    for (const { role, userId, head } of rooms) {
      for (const feed of this.byUser.get(userId) ?? []) feed.hint(role, head);
    }
  }

  /** Looks into the rooms of every socket here. Only for a hub that cannot know what it has missed. */
  async hintAll(): Promise<void> {
    for (const userId of [...this.byUser.keys()]) {
      const heads = await this.rooms.heads(userId);
      this.hint(roles.map((role) => ({ role, userId, head: heads[role] })));
    }
  }

  tell(userId: string, name: 'book:stock', push: Push<'book:stock'>): void {
    for (const feed of this.byUser.get(userId) ?? []) feed.tell(name, push);
  }
}
