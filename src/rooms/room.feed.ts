import { setImmediate } from 'node:timers/promises';
import { type Role, roles } from '../contract/lifecycle.js';
import type { OrderStatusPush, RoomReadyPush } from '../contract/rooms.js';
import type { Push } from '../contract/wire.js';
import type { Metrics } from '../platform/metrics.js';
import type { HubSocket } from '../platform/socket.js';
import type { RoomsService } from './rooms.service.js';

/** Read and told in a millisecond. Others have their turn before the next page, and a command needs a dozen turns. */
const REPLAY_PAGE = 50;

interface Cursor {
  /** The number of the latest event that the socket was given. */
  given: number;
  /** The highest number that a hint has named: there is more to read until `given` reaches it. */
  known: number;
  complete: boolean;
  reading: boolean;
}

/**
 * What one socket has been given of its two rooms. A push is a hint: the event after the cursor goes out from memory, an
 * older one is dropped, and anything else makes one read of what is missing. So a hint may be lost, doubled or early, and
 * the socket still gets each event once and in order.
 */
export class RoomFeed {
  private readonly cursors: Record<Role, Cursor> = { buyer: newCursor(), seller: newCursor() };
  private live = false;

  constructor(
    private readonly socket: HubSocket,
    private readonly rooms: RoomsService,
    private readonly metrics: Metrics,
  ) {}

  private get userId(): string {
    return this.socket.data.caller.userId;
  }

  /**
   * Gives what came after the socket's `last`, up to the heads of this moment, and says that it is ready. What is committed
   * meanwhile follows as live events: a room that is never still must not keep its sockets waiting.
   */
  async start(): Promise<void> {
    const { last = {} } = this.socket.data;
    const heads = await this.rooms.heads(this.userId);
    for (const role of roles) {
      const cursor = this.cursors[role];
      const after = last[role] ?? heads[role];
      cursor.complete = after <= heads[role];
      cursor.given = cursor.complete ? after : heads[role];
      await this.catchUp(role, () => heads[role]);
    }
    this.socket.emit('room:ready', this.readyPush());
    this.live = true;
    for (const role of roles) this.hint(role, this.cursors[role].known);
  }

  /** An event of one of the rooms was committed. */
  offer(push: OrderStatusPush): void {
    const cursor = this.cursors[push.role];
    const isNext = push.seq === cursor.given + 1;
    if (this.live && !cursor.reading && isNext) this.give(cursor, push, 'memory');
    else this.hint(push.role, push.seq);
  }

  /** Events up to this number are committed. */
  hint(role: Role, head: number): void {
    const cursor = this.cursors[role];
    cursor.known = Math.max(cursor.known, head);
    if (!this.live || cursor.reading || cursor.given >= cursor.known) return;
    // Cut, the socket comes back with `last`, and gets what could not be read now.
    this.catchUp(role, () => cursor.known).catch(() => this.socket.disconnect(true));
  }

  /** A push without a number: only for a socket that is up to date. */
  tell(name: 'book:stock', push: Push<'book:stock'>): void {
    if (this.live) this.socket.emit(name, push);
  }

  /** Reads and gives what is missing up to a number, which may grow while it reads. */
  private async catchUp(role: Role, upTo: () => number): Promise<void> {
    const cursor = this.cursors[role];
    cursor.reading = true;
    try {
      while (cursor.given < upTo() && this.socket.connected) {
        // Whoever takes long to take it is waited for, and not cut for it.
        await this.socket.data.unsent.drained();
        const events = await this.rooms.eventsAfter(role, this.userId, cursor.given, REPLAY_PAGE);
        if (events[0]?.seq !== cursor.given + 1) {
          // What follows the cursor is no longer kept: start at the head, and say so.
          cursor.complete = false;
          cursor.given = upTo();
          return;
        }
        for (const push of events)
          if (push.seq === cursor.given + 1 && push.seq <= upTo()) this.give(cursor, push, 'database');
        // The embedded database answers without a pause: others must not wait until all that was missed is told.
        if (cursor.given < upTo()) await setImmediate();
      }
    } finally {
      cursor.reading = false;
    }
  }

  private give(cursor: Cursor, push: OrderStatusPush, from: 'memory' | 'database'): void {
    cursor.given = push.seq;
    cursor.known = Math.max(cursor.known, push.seq);
    this.socket.emit('order:status', push);
    this.metrics.eventGiven(from);
  }

  private readyPush(): RoomReadyPush {
    const state = ({ given, complete }: Cursor) => ({ head: given, complete });
    return {
      userId: this.userId,
      rooms: { buyer: state(this.cursors.buyer), seller: state(this.cursors.seller) },
      serverTime: new Date().toISOString(),
    };
  }
}

function newCursor(): Cursor {
  return { given: 0, known: 0, complete: true, reading: false };
}
