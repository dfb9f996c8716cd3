import type { Role } from '../contract/lifecycle.js';
import type { OrderStatusPush, RoomEvents, RoomReadyPush } from '../contract/rooms.js';

interface Ears {
  deliver(event: OrderStatusPush): void;
  /** Events are gone that were not heard. */
  reset(): void;
  /** Whether the room is being read has changed. */
  readingChanged(): void;
  read(after: number): Promise<RoomEvents>;
}

/** What was heard of one room: hands each event on once and in order, and reads what is missing before what came after it. */
export class RoomReader {
  /** The number of the last event handed on. Unknown until the room's head is, to somebody who begins at the present. */
  last: number | undefined;
  isReading = false;
  /** Events up to this number are there. */
  private known = 0;

  constructor(
    last: number | undefined,
    private readonly ears: Ears,
  ) {
    this.last = last;
  }

  hear(event: OrderStatusPush): void {
    const { last = event.seq - 1 } = this;
    if (event.seq === last + 1 && !this.isReading) this.deliver(event);
    else this.catchUp(event.seq);
  }

  /** The hub has sent what it had, up to this head. */
  ready({ head, complete }: RoomReadyPush['rooms'][Role]): void {
    if (!complete) this.ears.reset();
    if (!complete || this.last === undefined) this.last = head;
    this.known = 0;
    this.catchUp(head);
  }

  private deliver(event: OrderStatusPush): void {
    this.last = event.seq;
    this.ears.deliver(event);
  }

  private catchUp(known: number): void {
    this.known = Math.max(this.known, known);
    if (this.isReading || (this.last ?? 0) >= this.known) return;
    // It fails only when the client has ended.
    this.readOn().catch(() => {});
  }

  private async readOn(): Promise<void> {
    this.readingIs(true);
    try {
      for (let after = this.last ?? 0; after < this.known; after = this.last ?? after) {
        const { events, complete, head } = await this.ears.read(after);
        if (!complete && this.last === after) {
          this.ears.reset();
          this.last = (events[0]?.seq ?? head + 1) - 1;
        }
        for (const event of events) if (event.seq === (this.last ?? 0) + 1) this.deliver(event);
        // Not there after all: the next event, or the next `room:ready`, makes it look again.
        if (this.last === after) return;
      }
    } finally {
      // In one go with the last look at what is known: what comes after it is handed on as it comes.
      this.readingIs(false);
    }
  }

  private readingIs(isReading: boolean): void {
    this.isReading = isReading;
    this.ears.readingChanged();
  }
}
