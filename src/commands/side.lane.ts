import type { Answer } from '../contract/wire.js';
import { KeyedCounter } from '../platform/limits/keyed.counter.js';
import type { QueuedCommand } from './command.backlog.js';
import type { RowName } from './row.names.js';

/** A command whose submission is this long ago waits for held rows no longer, and ends `UNAVAILABLE`. */
export const SET_ASIDE_MS = 3_000;
/** Commands that may be set aside at a time. Further ones end `UNAVAILABLE` at once. */
export const SET_ASIDE_MAX = 1_024;
/** How often a held row is tried again, at the cost of a few more statements in a batch. */
const TRY_INTERVAL_MS = 50;
/** How often one command tries, in a batch of its own, what it must wait for, and all others with it for a tenth of a second. */
const TRIAL_INTERVAL_MS = 400;
/** A row that other hubs lock all the time is never found free: it must be waited for, at least this often. */
const ROW_TRIAL_INTERVAL_MS = 1_000;

interface Waiting {
  queued: QueuedCommand;
  /** What another client holds; undefined if the command only follows an earlier one of its user. */
  waitsFor: RowName | undefined;
}

/** What the side lane does with a command that leaves it. */
interface Exits {
  /** Runs commands again, before new ones. */
  giveBack(commands: QueuedCommand[]): void;
  /** Answers `UNAVAILABLE`. */
  giveUp(queued: QueuedCommand): void;
  isClosed(name: RowName): boolean;
}

/**
 * The commands that need what another client of the database holds, so that nobody else waits for it; and, so that a user's
 * commands keep their order, those that the same users sent later. The first command for each held row is given back to the
 * queue at short intervals. Once it could be executed, the others follow.
 */
export class SideLane {
  /** In the order of submission. */
  private waiting: Waiting[] = [];
  private readonly byUser = new KeyedCounter();
  /** Commands that were given back to try whether a row is free. */
  private readonly tries = new Map<QueuedCommand, RowName>();
  private trial: QueuedCommand | undefined;
  private lastTrialAt = 0;
  /** When there was last a trial of what commands wait for. */
  private readonly trialOf = new Map<RowName, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly exits: Exits) {}

  get length(): number {
    return this.waiting.length + (this.trial ? 1 : 0);
  }

  /** Sets commands of one batch aside, in its order, each with what it needs. */
  setAside(commands: readonly { queued: QueuedCommand; waitsFor: RowName }[]): void {
    const users = new Set<string | null>();
    for (const { queued, waitsFor } of commands) {
      const { actorId } = queued.command;
      this.tries.delete(queued);
      this.add({ queued, waitsFor: users.has(actorId) ? undefined : waitsFor });
      if (actorId !== null) users.add(actorId);
    }
  }

  /** Sets a command aside if an earlier one of its user is here, and returns whether it did. */
  addFollower(queued: QueuedCommand): boolean {
    const { actorId } = queued.command;
    if (actorId === null || this.byUser.count(actorId) === 0) return false;
    const hasEarlier = this.waiting.some(
      ({ queued: { command, since } }) => command.actorId === actorId && since < queued.since,
    );
    if (!hasEarlier) return false;
    this.tries.delete(queued);
    this.add({ queued, waitsFor: undefined });
    return true;
  }

  /** A command was answered. Unless it is to be retried, it was executed, and what it tried is free. */
  answered(queued: QueuedCommand, answer: Answer<unknown>): void {
    if (this.tries.size === 0) return;
    const tried = this.tries.get(queued);
    this.tries.delete(queued);
    if (tried !== undefined && (answer.ok || !answer.error.retryable)) this.leave((waitsFor) => waitsFor === tried);
  }

  get hasTrial(): boolean {
    return this.trial !== undefined;
  }

  /** A command that, alone in its batch, tries what is closed. */
  takeTrial(): QueuedCommand | undefined {
    const { trial } = this;
    this.trial = undefined;
    return trial;
  }

  private add(waiting: Waiting): void {
    const { queued } = waiting;
    if (this.waiting.length >= SET_ASIDE_MAX) {
      this.exits.giveUp(queued);
      return;
    }
    const index = this.waiting.findLastIndex((other) => other.queued.since <= queued.since) + 1;
    this.waiting.splice(index, 0, waiting);
    if (queued.command.actorId !== null) this.byUser.increment(queued.command.actorId);
    this.timer ??= setTimeout(() => this.tryAgain(), TRY_INTERVAL_MS);
  }

  private tryAgain(): void {
    this.timer = undefined;
    const trialFor = this.nextTrial();
    const tried = new Set(this.tries.values());
    this.leave((name, queued) => {
      if (tried.has(name) || (name !== trialFor && this.exits.isClosed(name))) return false;
      tried.add(name);
      this.tries.set(queued, name);
      if (name === trialFor) this.trial = queued;
      return true;
    });
    if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.tryAgain(), TRY_INTERVAL_MS);
  }

  /** What a trial is for now: that whose last one is longest ago. */
  private nextTrial(): RowName | undefined {
    const now = performance.now();
    const names = new Set(this.tries.values());
    for (const { waitsFor } of this.waiting) if (waitsFor !== undefined) names.add(waitsFor);
    for (const name of this.trialOf.keys()) if (!names.has(name)) this.trialOf.delete(name);
    for (const name of names) if (!this.trialOf.has(name)) this.trialOf.set(name, this.exits.isClosed(name) ? 0 : now);
    if (this.trial || now < this.lastTrialAt + TRIAL_INTERVAL_MS) return undefined;
    const [next] = [...this.trialOf]
      .filter(([name, at]) => this.exits.isClosed(name) || at + ROW_TRIAL_INTERVAL_MS < now)
      .sort(([, one], [, other]) => one - other);
    if (!next) return undefined;
    this.lastTrialAt = now;
    this.trialOf.set(next[0], now);
    return next[0];
  }

  /**
   * Lets commands go that wait for a row that may be free, and those that follow nothing any more; and gives up on those that
   * waited too long. What stays holds back its user's later commands.
   */
  private leave(mayGo: (waitsFor: RowName, queued: QueuedCommand) => boolean): void {
    const oldest = performance.now() - SET_ASIDE_MS;
    const staying = new Set<string | null>();
    const going: QueuedCommand[] = [];
    const isStaying = ({ queued, waitsFor }: Waiting): boolean => {
      const { actorId } = queued.command;
      if (actorId !== null && staying.has(actorId)) return true;
      if (waitsFor !== undefined && queued.since < oldest) this.exits.giveUp(queued);
      else if (waitsFor === undefined || mayGo(waitsFor, queued)) going.push(queued);
      else return true;
      if (actorId !== null) this.byUser.decrement(actorId);
      return false;
    };
    this.waiting = this.waiting.filter((waiting) => {
      const stays = isStaying(waiting);
      if (stays) staying.add(waiting.queued.command.actorId);
      return stays;
    });
    if (going.length > 0) this.exits.giveBack(going.filter((queued) => queued !== this.trial));
  }
}
