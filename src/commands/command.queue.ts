import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Refusal } from '../contract/errors.js';
import type { Answer } from '../contract/wire.js';
import { ANSWER_WITHIN_MS } from '../platform/deadline.js';
import { Faults } from '../platform/faults.js';
import { HintChannel } from '../platform/hint.channel.js';
import { Logger } from '../platform/logger.js';
import { Metrics } from '../platform/metrics.js';
import { RoomFeeds } from '../rooms/room.feeds.js';
import { type BatchOutcome, CommandBatch } from './command.batch.js';
import { type Command, type CommandName, type CommandRequests, messageHash } from './command.js';

/** So many commands share a transaction at most, and so many lines of orders: a statement has its limits. */
export const BATCH_COMMANDS_MAX = 256;
const BATCH_LINES_MAX = 1_000;

interface Waiting {
  command: Command;
  lines: number;
  since: number;
  answer(answer: Answer<unknown>): void;
}

/**
 * Where every command waits for its batch. While no batch is running a command starts one at once; those that arrive
 * meanwhile form the next. So a lone command waits for nothing, and many share the cost of one transaction.
 */
@Injectable()
export class CommandQueue {
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly batch: CommandBatch,
    private readonly feeds: RoomFeeds,
    private readonly hints: HintChannel,
    private readonly faults: Faults,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {
    metrics.observeQueue(() => this.waiting.length);
  }

  /** Gives a command of a user, or of the hub itself. The answer comes when its effect is durable. */
  give<Data, Name extends CommandName = CommandName>(
    name: Name,
    by: string | null,
    { key, ...request }: CommandRequests[Name] & { key?: string },
  ): Promise<Answer<Data>> {
    // The compiler cannot follow that `request` belongs to `name`; the parameters above say so.
    const command = {
      name,
      by,
      request,
      ...(key === undefined ? {} : { key: { text: key, messageHash: messageHash(name, request) } }),
      ...(name === 'order:place' ? { orderId: uuidv7() } : {}),
    } as unknown as Command;
    return new Promise<Answer<Data>>((resolve) => {
      const lines = command.name === 'order:place' ? command.request.items.length : 1;
      this.waiting.push({ command, lines, since: performance.now(), answer: resolve as Waiting['answer'] });
      this.running ??= this.run();
    });
  }

  /** Resolves when every command that was given has been answered. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      this.dropLate();
      if (this.waiting.length > 0) await this.runTogether(this.next());
      // The embedded database answers without a pause: let what the sockets hold already join the next batch.
      await setImmediate();
    }
    this.running = undefined;
  }

  /** What has waited longer than its sender was told is not begun any more: the sender has its answer, and may send again. */
  private dropLate(): void {
    const oldest = performance.now() - ANSWER_WITHIN_MS;
    const late = this.waiting.findIndex(({ since }) => since >= oldest);
    const error = new Refusal('UNAVAILABLE').toBody();
    for (const waiting of this.waiting.splice(0, late === -1 ? this.waiting.length : late)) {
      this.answer(waiting, { ok: false, error });
    }
  }

  private next(): Waiting[] {
    let lines = 0;
    let end = 0;
    for (const { lines: more } of this.waiting.slice(0, BATCH_COMMANDS_MAX)) {
      if (end > 0 && lines + more > BATCH_LINES_MAX) break;
      lines += more;
      end++;
    }
    return this.waiting.splice(0, end);
  }

  private async runTogether(batch: Waiting[]): Promise<void> {
    const started = performance.now();
    try {
      const outcome = await this.batch.run(batch.map(({ command }) => command));
      const ms = performance.now() - started;
      this.metrics.batch(batch.length, ms);
      this.logger.debug({ commands: batch.length, ms: Math.round(ms) }, 'batch');
      this.tell(batch, outcome);
    } catch (error) {
      await this.fail(batch, error);
    }
  }

  private tell(batch: Waiting[], { answers, events, stockAlerts }: BatchOutcome): void {
    batch.forEach((waiting, index) => {
      const answer = answers[index];
      if (answer) this.answer(waiting, answer);
    });
    this.feeds.publish(events);
    if (events.length > 0) this.hints.tell();
    for (const { ownerId, push } of stockAlerts) this.feeds.tell(ownerId, 'book:stock', push);
  }

  /** What stopped one command must not stop its neighbours: each is tried again alone. A database away stops them all. */
  private async fail(batch: Waiting[], error: unknown): Promise<void> {
    if (batch.length > 1 && !this.faults.isUnavailable(error)) {
      for (const waiting of batch) await this.runTogether([waiting]);
      return;
    }
    const body = this.faults.bodyOf(error);
    for (const waiting of batch) this.answer(waiting, { ok: false, error: body });
  }

  private answer({ command, since, answer: tell }: Waiting, answer: Answer<unknown>): void {
    this.metrics.command(command.name, answer.ok ? 'OK' : answer.error.code, performance.now() - since);
    tell(answer);
  }
}
