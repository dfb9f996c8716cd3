import type { OrderStatusPush, RoomEvents, RoomReadyPush } from '../contract/rooms.js';
import type { Role } from '../contract/transitions.js';

interface RoomHandlers {
  deliver(event: OrderStatusPush): void;
  /** Events were missed that the hub no longer keeps. */
  reset(): void;
  /** `isReading` has changed. */
  readingChanged(): void;
  read(after: number): Promise<RoomEvents>;
}

/** Delivers the events of one room once and in order, and reads missing events from the hub before later ones are delivered. */
export class RoomReader {
  /** The number of the last delivered event; unknown, for a client without a stored cursor, until the hub has sent the head. */
  last: number | undefined;
  isReading = false;
  /** The highest number known to exist. */
  private latest = 0;

  constructor(
    last: number | undefined,
    private readonly handlers: RoomHandlers,
  ) {
    this.last = last;
  }

  receive(event: OrderStatusPush): void {
    const { last = event.seq - 1 } = this;
    if (event.seq === last + 1 && !this.isReading) this.deliver(event);
    else this.catchUp(event.seq);
  }

  /** The hub has sent every event up to this head. A room that an API key may not read has none. */
  ready({ head, complete }: RoomReadyPush['rooms'][Role] = { head: this.last ?? 0, complete: true }): void {
    if (!complete) this.handlers.reset();
    if (!complete || this.last === undefined) this.last = head;
    this.latest = 0;
    this.catchUp(head);
  }

  private deliver(event: OrderStatusPush): void {
    this.last = event.seq;
    this.handlers.deliver(event);
  }

  private catchUp(latest: number): void {
    this.latest = Math.max(this.latest, latest);
    if (this.isReading || (this.last ?? 0) >= this.latest) return;
    // It rejects only once the client has ended.
    this.readMissing().catch(() => {});
  }

  private async readMissing(): Promise<void> {
    this.setReading(true);
    try {
      for (let after = this.last ?? 0; after < this.latest; after = this.last ?? after) {
        const { events, complete, head } = await this.handlers.read(after);
        if (!complete && this.last === after) {
          this.handlers.reset();
          this.last = (events[0]?.seq ?? head + 1) - 1;
        }
        for (const event of events) if (event.seq === (this.last ?? 0) + 1) this.deliver(event);
        // No progress: the next event or `room:ready` starts another read.
        if (this.last === after) return;
      }
    } finally {
      // In the same turn as the last check of `latest`, so that no event can arrive in between and be dropped.
      this.setReading(false);
    }
  }

  private setReading(isReading: boolean): void {
    this.isReading = isReading;
    this.handlers.readingChanged();
  }
}
