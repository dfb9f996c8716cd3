import type { Answer } from '../contract/wire.js';
import type { Asker } from '../platform/caller.js';
import { Tally } from '../platform/tally.js';
import type { Command } from './command.js';

/** So many commands share a transaction at most, and so many lines of orders: a statement has its limits. */
export const BATCH_COMMANDS_MAX = 256;
const BATCH_LINES_MAX = 1_000;

/** So many commands may wait, and as many as are done in this time, if that is less: who is let in is to be answered soon. */
export const COMMANDS_WAITING_MAX = 4_096;
const LINE_MS_MAX = 1_000;
/** So many always may, however slow the database: a click on "ship all" is not an overload. */
export const COMMANDS_WAITING_MIN = 2_048;
/** Of the places, so many are for those who place orders. The rest is kept for those who want to finish what was placed. */
const PLACING_SHARE = 0.5;
/** Of these, the last so many are for users who have few there yet: a crowd's flood must not keep out who places a single order. */
const KEPT_SHARE = 0.25;
const FEW = 8;

export interface Waiting {
  command: Command;
  /** How many lines of orders it brings into its batch. */
  lines: number;
  /** When it was given, by `performance.now()`. */
  since: number;
  asker: Asker;
  answer(answer: Answer<unknown>): void;
}

/**
 * The commands that wait for their batch, in two lanes. What finishes an order (pay, ship, receive, cancel) or moves money or
 * stock goes before new orders: under pressure, work that was begun is worth more than work that is not. But nobody
 * overtakes oneself: behind an order that its user is still placing, a command takes that order's lane. So the commands of one
 * user take effect in the order in which they were given.
 */
export class WaitingLine {
  private readonly finishing: Waiting[] = [];
  private readonly placing: Waiting[] = [];
  /** How many commands of each user wait in the lane of those who place. */
  private readonly placers = new Tally();

  get length(): number {
    return this.finishing.length + this.placing.length;
  }

  /** For how many more such commands there is room. There always is for the hub's own: they are few, and their time has come. */
  roomFor({ name, by }: Pick<Command, 'name' | 'by'>, commandsPerMs: number): number {
    if (by === null) return Number.POSITIVE_INFINITY;
    const doneInTime = Math.ceil(commandsPerMs * LINE_MS_MAX);
    const max = Math.min(COMMANDS_WAITING_MAX, Math.max(COMMANDS_WAITING_MIN, doneInTime));
    const room = max - this.length;
    return name === 'order:place' ? Math.min(room, this.roomToPlace(by, Math.ceil(max * PLACING_SHARE))) : room;
  }

  private roomToPlace(by: string, max: number): number {
    const room = max - this.placing.length;
    return Math.max(room - Math.ceil(max * KEPT_SHARE), Math.min(room, FEW - this.placers.of(by)));
  }

  add(waiting: Waiting): void {
    const { name, by } = waiting.command;
    if (by === null || (name !== 'order:place' && this.placers.of(by) === 0)) {
      this.finishing.push(waiting);
    } else {
      this.placing.push(waiting);
      this.placers.add(by);
    }
  }

  /** Takes the next batch out of the line, and all before it that is not worth beginning any more. */
  take(isOver: (waiting: Waiting) => boolean): { batch: Waiting[]; over: Waiting[] } {
    const batch: Waiting[] = [];
    const over: Waiting[] = [];
    let lines = 0;
    for (const lane of [this.finishing, this.placing]) {
      const end = lane.findIndex((waiting) => {
        if (isOver(waiting)) {
          over.push(waiting);
          return false;
        }
        if (batch.length === BATCH_COMMANDS_MAX) return true;
        if (batch.length > 0 && lines + waiting.lines > BATCH_LINES_MAX) return true;
        batch.push(waiting);
        lines += waiting.lines;
        return false;
      });
      const taken = lane.splice(0, end === -1 ? lane.length : end);
      if (lane === this.placing) for (const { command } of taken) this.placers.remove(String(command.by));
      // The other lane must not overtake what did not fit.
      if (end !== -1) break;
    }
    return { batch, over };
  }
}
