import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type ErrorBody, Refusal } from '../contract/errors.js';
import type { Answer } from '../contract/wire.js';
import type { Asker } from '../platform/caller.js';
import { ANSWER_WITHIN_MS } from '../platform/deadline.js';
import { Faults } from '../platform/faults.js';
import { HintChannel } from '../platform/hint.channel.js';
import { Journal } from '../platform/journal.js';
import type { Message } from '../platform/message.js';
import { Metrics } from '../platform/metrics.js';
import { RoomFeeds } from '../rooms/room.feeds.js';
import { type BatchOutcome, CommandBatch } from './command.batch.js';
import { type Command, type CommandName, type CommandRequests, messageHash } from './command.js';
import { newOrderId } from './order.id.js';
import { type Waiting, WaitingLine } from './waiting.line.js';

/** Whoever found the queue full may come again after this time at least, and need not wait longer than that. */
const RETRY_AFTER_MIN_MS = 100;
const RETRY_AFTER_MAX_MS = 5_000;
const THE_HUB: Asker = { isThere: () => true };
/** How much the latest batch counts in what is known of the queue's speed. */
const LATEST_BATCH_SHARE = 0.2;
/** A small batch takes nearly as long as a large one, and tells nothing of how much can be done. */
const BATCH_TELLING_MIN = 64;
/** All that is to be told of a batch was told. */
const NOTHING = () => {};

/**
 * Where every command waits for its batch. While no batch is running a command starts one at once; those that arrive
 * meanwhile form the next. So a lone command waits for nothing, and many share the cost of one transaction. When too many
 * wait already, a command is refused at once, at next to no cost.
 */
@Injectable()
export class CommandQueue {
  private readonly line = new WaitingLine();
  private commandsPerMs = 4;
  private running: Promise<void> | undefined;

  constructor(
    private readonly batch: CommandBatch,
    private readonly feeds: RoomFeeds,
    private readonly hints: HintChannel,
    private readonly faults: Faults,
    private readonly metrics: Metrics,
    private readonly journal: Journal,
  ) {
    metrics.observeQueue(() => this.line.length);
  }

  /**
   * Gives a command of a user, or of the hub itself. The answer comes when its effect is durable. When its turn comes and nobody
   * is there any more, the command is dropped: with its key it may be given again.
   */
  give<Data, Name extends CommandName = CommandName>(
    name: Name,
    by: string | null,
    { key, ...request }: CommandRequests[Name] & { key?: string },
    asker: Asker = THE_HUB,
  ): Promise<Answer<Data>> {
    const refusal = this.refusalOf(name, by);
    if (refusal) return Promise.resolve({ ok: false, error: refusal });
    // The compiler cannot follow that `request` belongs to `name`; the parameters above say so.
    const command = { name, by, request } as unknown as Command;
    if (key !== undefined) command.key = { text: key, messageHash: messageHash(name, request) };
    if (name === 'order:place') command.orderId = newOrderId();
    return new Promise<Answer<Data>>((resolve) => {
      const lines = command.name === 'order:place' ? command.request.items.length : 1;
      this.line.add({ command, lines, since: performance.now(), asker, answer: resolve as Waiting['answer'] });
      this.running ??= this.run();
    });
  }

  /** Why a command is not taken now, if it is not. At next to no cost, so that it can be said often. */
  refusalOf(name: CommandName, by: string | null): ErrorBody | undefined {
    return this.roomFor(name, by) > 0 ? undefined : this.refuse(name);
  }

  roomFor(name: CommandName, by: string | null): number {
    return this.line.roomFor({ name, by }, this.commandsPerMs);
  }

  refuse(name: CommandName, count = 1): ErrorBody {
    this.metrics.commandRefused(name, 'OVERLOADED', count);
    // The line will be gone in so long. Those who are refused together must not come back together.
    const lineMs = Math.max(RETRY_AFTER_MIN_MS, this.line.length / this.commandsPerMs);
    return Refusal.body('OVERLOADED', {
      retryAfterMs: Math.round(Math.min(RETRY_AFTER_MAX_MS, lineMs * (1 + Math.random()))),
    });
  }

  /** Resolves when every command that was given has been answered. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    let tellLast = NOTHING;
    while (this.line.length > 0) {
      const running = this.runNext();
      // A server has its first statements by then, and works on them while the batch before is told: a tenth more commands.
      if (this.batch.isDoneElsewhere) await setImmediate();
      tellLast();
      tellLast = await running;
      if (!this.batch.isDoneElsewhere || this.line.length === 0) {
        tellLast();
        tellLast = NOTHING;
      }
      // The embedded database answers without a pause: let what the sockets hold already join the next batch.
      await setImmediate();
    }
    this.running = undefined;
  }

  /** Runs the next batch of the line. Gives what is to be told of it. */
  private async runNext(): Promise<() => void> {
    // What has waited longer than its sender was told is not begun any more: the sender has its answer, and may send again.
    const oldest = performance.now() - ANSWER_WITHIN_MS;
    const { batch, over } = this.line.take(({ since, asker }) => since < oldest || !asker.isThere());
    for (const waiting of over) this.answer(waiting, { ok: false, error: Refusal.body('UNAVAILABLE') });
    return batch.length > 0 ? this.runTogether(batch) : NOTHING;
  }

  private async runTogether(batch: Waiting[]): Promise<() => void> {
    const from = performance.now();
    try {
      const outcome = await this.batch.run(batch.map(({ command }) => command));
      const to = performance.now();
      if (batch.length >= BATCH_TELLING_MIN) {
        this.commandsPerMs += LATEST_BATCH_SHARE * (batch.length / (to - from) - this.commandsPerMs);
      }
      this.journal.batch({ ...outcome, commands: batch.length, messages: messagesOf(batch), from, to });
      return () => this.tell(batch, outcome);
    } catch (error) {
      // What stopped one command must not stop its neighbours: each is tried again alone. A database away stops them all.
      if (batch.length === 1 || this.faults.isUnavailable(error)) return () => this.fail(batch, error);
      for (const waiting of batch) (await this.runTogether([waiting]))();
      return NOTHING;
    }
  }

  private tell(batch: Waiting[], { answers, events, stockAlerts }: BatchOutcome): void {
    try {
      batch.forEach((waiting, index) => {
        const answer = answers[index];
        /* istanbul ignore else -- each command of a batch has an answer, which the compiler cannot know */
        if (answer) this.answer(waiting, answer);
      });
      this.feeds.publish(events);
      if (events.length + stockAlerts.length > 0) this.hints.tell();
      for (const { ownerId, push } of stockAlerts) this.feeds.tell(ownerId, 'book:stock', push);
    } catch (error) {
      this.fail(batch, error);
    }
  }

  private fail(batch: Waiting[], error: unknown): void {
    const body = this.faults.bodyOf(error, { ids: messagesOf(batch).map(({ id }) => id) });
    for (const waiting of batch) this.answer(waiting, { ok: false, error: body });
  }

  private answer({ command, since, answer: tell }: Waiting, answer: Answer<unknown>): void {
    this.metrics.command(command.name, answer.ok ? 'OK' : answer.error.code, performance.now() - since);
    tell(answer);
  }
}

/** The messages that asked for these commands. */
function messagesOf(batch: readonly Waiting[]): Message[] {
  return batch.flatMap(({ asker }) => asker.message ?? []);
}
