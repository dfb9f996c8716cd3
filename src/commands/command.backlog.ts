import type { Answer } from '../contract/wire.js';
import type { RequestSource } from '../platform/caller.js';
import { KeyedCounter } from '../platform/limits/keyed.counter.js';
import type { Command } from './command.js';

/** Commands, and order lines, in one transaction at most: statements have their limits. */
export const BATCH_COMMANDS_MAX = 256;
const BATCH_LINES_MAX = 1_000;

/** Queued commands at most, or as many as finish within `BACKLOG_MS_MAX` if that is fewer: what is admitted is answered soon. */
export const COMMANDS_WAITING_MAX = 4_096;
const BACKLOG_MS_MAX = 1_000;
/** Always admitted, however slow the database: a click on "ship all" is not an overload. */
export const COMMANDS_WAITING_MIN = 2_048;
/** The part of the queue that may hold new work. The rest is reserved for commands that finish what was begun. */
const NEW_WORK_SHARE = 0.5;
/** The last part of that is for users with few commands there, so that one user's flood does not keep a single order out. */
const RESERVED_SHARE = 0.25;
const FEW = 8;

export interface QueuedCommand {
  command: Command;
  /** Whether it begins new work: see `CommandHandler`. */
  startsWork: boolean;
  /** Order lines that it adds to its batch. */
  lines: number;
  /** When it was submitted, by `performance.now()`. */
  since: number;
  source: RequestSource;
  answer(answer: Answer<unknown>): void;
}

/**
 * The commands that wait for a batch, in two lanes: those that finish work (pay, ship, receive, cancel, money, stock) go
 * before new orders, because under pressure finished work is worth more. A user's own commands keep their order: while one
 * waits in the lane of new work, the user's later commands queue there too. Before both go those that were in a batch already.
 */
export class CommandBacklog {
  private readonly returned: QueuedCommand[] = [];
  private readonly finishing: QueuedCommand[] = [];
  private readonly starting: QueuedCommand[] = [];
  /** Commands of each user in the lane of new work. */
  private readonly startingByUser = new KeyedCounter();

  get length(): number {
    return this.returned.length + this.finishing.length + this.starting.length;
  }

  /** How many more such commands fit. The hub's own always do: they are few, and their time has come. */
  capacityFor({ startsWork, actorId }: { startsWork: boolean; actorId: string | null }, commandsPerMs: number): number {
    if (actorId === null) return Number.POSITIVE_INFINITY;
    const doneInTime = Math.ceil(commandsPerMs * BACKLOG_MS_MAX);
    const max = Math.min(COMMANDS_WAITING_MAX, Math.max(COMMANDS_WAITING_MIN, doneInTime));
    const free = max - this.length;
    return startsWork ? Math.min(free, this.capacityForNewWork(actorId, Math.ceil(max * NEW_WORK_SHARE))) : free;
  }

  private capacityForNewWork(userId: string, max: number): number {
    const free = max - this.starting.length;
    return Math.max(free - Math.ceil(max * RESERVED_SHARE), Math.min(free, FEW - this.startingByUser.count(userId)));
  }

  add(queued: QueuedCommand): void {
    const { actorId } = queued.command;
    if (actorId === null || (!queued.startsWork && this.startingByUser.count(actorId) === 0)) {
      this.finishing.push(queued);
    } else {
      this.starting.push(queued);
      this.startingByUser.increment(actorId);
    }
  }

  /** Takes commands back, which are older than all others. */
  giveBack(commands: readonly QueuedCommand[]): void {
    this.returned.push(...commands);
  }

  /** Takes the next batch, and with it the expired commands that were queued before its end. */
  take(isExpired: (queued: QueuedCommand) => boolean): { batch: QueuedCommand[]; expired: QueuedCommand[] } {
    const batch: QueuedCommand[] = [];
    const expired: QueuedCommand[] = [];
    let lines = 0;
    for (const lane of [this.returned, this.finishing, this.starting]) {
      const end = lane.findIndex((queued) => {
        if (isExpired(queued)) {
          expired.push(queued);
          return false;
        }
        if (batch.length === BATCH_COMMANDS_MAX) return true;
        if (batch.length > 0 && lines + queued.lines > BATCH_LINES_MAX) return true;
        batch.push(queued);
        lines += queued.lines;
        return false;
      });
      const taken = lane.splice(0, end === -1 ? lane.length : end);
      if (lane === this.starting)
        for (const { command } of taken) this.startingByUser.decrement(String(command.actorId));
      // The other lane must not overtake what did not fit.
      if (end !== -1) break;
    }
    return { batch, expired };
  }
}
