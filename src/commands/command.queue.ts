import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { CommandData, CommandName, CommandRequest } from '../contract/commands.js';
import { type ErrorBody, HubError } from '../contract/errors.js';
import type { Answer } from '../contract/wire.js';
import type { RequestSource } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { chunks } from '../platform/database/database.js';
import { LockWaitError } from '../platform/database/lock.patience.js';
import { ErrorMapper } from '../platform/error.mapper.js';
import { ANSWER_TIMEOUT_MS } from '../platform/limits/timeouts.js';
import { Metrics } from '../platform/observability/metrics.js';
import type { RequestContext } from '../platform/observability/request.context.js';
import { RequestObserver } from '../platform/observability/request.observer.js';
import type { CommandAdmission } from '../platform/sockets/message.admission.js';
import { EventPublisher } from '../rooms/event.publisher.js';
import type { BatchMode } from './batch.patience.js';
import { CommandBacklog, type QueuedCommand } from './command.backlog.js';
import { type BatchOutcome, CommandBatch } from './command.batch.js';
import { type Command, messageHash } from './command.js';
import { CommandRegistry } from './command.registry.js';
import { HeldRows } from './held.rows.js';
import { SideLane } from './side.lane.js';

/** A client that found the queue full may retry after this long at least, and need not wait longer than that. */
const RETRY_AFTER_MIN_MS = 100;
const RETRY_AFTER_MAX_MS = 5_000;
const HUB_SOURCE: RequestSource = { isConnected: () => true };
/** The weight of the latest batch in the moving average of the queue's speed. */
const LATEST_BATCH_WEIGHT = 0.2;
/** Smaller batches take nearly as long as large ones, and do not show what the queue could do. */
const MEASURED_BATCH_MIN = 64;
const NO_PUBLICATION = () => {};
/** Parts that a batch is divided into to find out which of its commands cannot be written: three times, if it is full. */
const PARTS = 8;
const IDLE_CHECK_MS = 20;

/**
 * Where every command waits for its batch. While no batch runs, a command starts one at once; those that arrive meanwhile
 * form the next. So a lone command waits for nothing, and many share the cost of one transaction. When too many wait, a
 * command is rejected at once and at next to no cost.
 */
@Injectable()
export class CommandQueue implements CommandAdmission {
  private readonly backlog = new CommandBacklog();
  private readonly sideLane: SideLane;
  private commandsPerMs = 4;
  private running: Promise<void> | undefined;

  constructor(
    private readonly batch: CommandBatch,
    private readonly registry: CommandRegistry,
    private readonly publisher: EventPublisher,
    private readonly errors: ErrorMapper,
    private readonly metrics: Metrics,
    private readonly observer: RequestObserver,
    private readonly clock: Clock,
    held: HeldRows,
  ) {
    this.sideLane = new SideLane({
      giveBack: (commands) => {
        this.backlog.giveBack(commands);
        this.running ??= this.run();
      },
      giveUp: (queued) => this.answer(queued, { ok: false, error: HubError.body('UNAVAILABLE') }),
      isClosed: (name) => held.isClosed(name),
    });
    metrics.observeQueue(() => this.backlog.length);
    metrics.observeSetAside(() => this.sideLane.length);
  }

  /**
   * Submits a command of a user or, with `actorId` null, of the hub itself. The answer comes once its effect is durable. A
   * command whose source has disconnected before its turn is dropped; with its key it may be sent again.
   */
  submit<Name extends CommandName>(
    name: Name,
    actorId: string | null,
    { key, ...request }: CommandRequest<Name> & { key?: string | undefined },
    source: RequestSource = HUB_SOURCE,
  ): Promise<Answer<CommandData<Name>>> {
    const handler = this.registry.handlerOf(name);
    const error = this.check(name, actorId);
    if (error) return Promise.resolve({ ok: false, error });
    // The compiler cannot follow that `request` belongs to `name`; the parameters above do.
    const command = { name, actorId, request } as unknown as Command;
    if (source.acting) command.acting = source.acting;
    if (key !== undefined) command.key = { text: key, messageHash: messageHash(name, request, source.acting) };
    if (handler.newId) command.newId = handler.newId(this.clock.now());
    return new Promise((resolve) => {
      this.backlog.add({
        command,
        startsWork: handler.startsWork ?? false,
        lines: handler.lineCount?.(command.request) ?? 1,
        since: performance.now(),
        source,
        answer: resolve as QueuedCommand['answer'],
      });
      this.running ??= this.run();
    });
  }

  /** Why the queue does not take such a command now, if it does not. */
  check(name: CommandName, actorId: string | null): ErrorBody | undefined {
    return this.capacityFor(name, actorId) > 0 ? undefined : this.reject(name);
  }

  /** How many more such commands of this user the queue takes now. */
  capacityFor(name: CommandName, actorId: string | null): number {
    const { startsWork = false } = this.registry.handlerOf(name);
    return this.backlog.capacityFor({ startsWork, actorId }, this.commandsPerMs);
  }

  /** Counts commands as rejected, and returns their error. */
  reject(name: CommandName, count = 1): ErrorBody {
    this.metrics.commandRejected(name, 'OVERLOADED', count);
    // The backlog will be done by then. Clients that are rejected together must not retry together.
    const backlogMs = Math.max(RETRY_AFTER_MIN_MS, this.backlog.length / this.commandsPerMs);
    return HubError.body('OVERLOADED', {
      retryAfterMs: Math.round(Math.min(RETRY_AFTER_MAX_MS, backlogMs * (1 + Math.random()))),
    });
  }

  /** Resolves when every submitted command has been answered. */
  async idle(): Promise<void> {
    while (this.running || this.sideLane.length > 0) await (this.running ?? sleep(IDLE_CHECK_MS));
  }

  private async run(): Promise<void> {
    let publishLast = NO_PUBLICATION;
    while (this.backlog.length > 0 || this.sideLane.hasTrial) {
      const running = this.runNext();
      // Publish batch N while the server executes N + 1: a tenth more commands.
      if (this.batch.isRemote) await setImmediate();
      publishLast();
      publishLast = await running;
      if (!this.batch.isRemote || this.backlog.length === 0) {
        publishLast();
        publishLast = NO_PUBLICATION;
      }
      // The embedded database never yields: let what the sockets have received join the next batch.
      await setImmediate();
    }
    this.running = undefined;
  }

  /** Runs the next batch, and returns how to publish it. */
  private async runNext(): Promise<() => void> {
    const trial = this.sideLane.takeTrial();
    if (trial) return this.runBatch([trial], 'trial');
    // Past the answer timeout the client has its answer, and may retry: executing the command now would surprise it.
    const oldest = performance.now() - ANSWER_TIMEOUT_MS;
    const { batch, expired } = this.backlog.take(({ since, source }) => since < oldest || !source.isConnected());
    for (const queued of expired) this.answer(queued, { ok: false, error: HubError.body('UNAVAILABLE') });
    return this.runBatch(batch);
  }

  private async runBatch(taken: QueuedCommand[], mode: BatchMode = 'usual'): Promise<() => void> {
    const batch = this.sideLane.length === 0 ? taken : taken.filter((queued) => !this.sideLane.addFollower(queued));
    if (batch.length === 0) return NO_PUBLICATION;
    const from = performance.now();
    try {
      const commands = batch.map(({ command }) => command);
      const outcome = await this.batch.run(commands, mode);
      this.setAside(batch, outcome);
      const to = performance.now();
      if (batch.length >= MEASURED_BATCH_MIN) {
        this.commandsPerMs += LATEST_BATCH_WEIGHT * (batch.length / (to - from) - this.commandsPerMs);
      }
      this.observer.batch({ ...outcome, commands: batch.length, messages: contextsOf(batch), from, to });
      return () => this.publish(batch, outcome);
    } catch (error) {
      if (error instanceof LockWaitError) return this.runParts(batch);
      // One command's fault must not fail its neighbours: each is tried again alone. An unavailable database fails them all.
      if (batch.length === 1 || this.errors.isUnavailable(error)) return () => this.fail(batch, error);
      for (const queued of batch) (await this.runBatch([queued]))();
      return NO_PUBLICATION;
    }
  }

  /** Something that the batch writes to is held: the smaller parts that can be written go on at once. */
  private async runParts(batch: QueuedCommand[]): Promise<() => void> {
    for (const part of chunks(batch, Math.ceil(batch.length / PARTS))) (await this.runBatch(part, 'part'))();
    return NO_PUBLICATION;
  }

  /** Before the next batch is taken, so that no later command of the same user is in it. */
  private setAside(batch: QueuedCommand[], { setAside }: BatchOutcome): void {
    if (setAside.size === 0) return;
    const aside = batch.flatMap((queued, index) => {
      const waitsFor = setAside.get(index);
      return waitsFor === undefined ? [] : [{ queued, waitsFor }];
    });
    this.sideLane.setAside(aside);
  }

  private publish(batch: QueuedCommand[], outcome: BatchOutcome): void {
    try {
      batch.forEach((queued, index) => {
        const answer = outcome.answers[index];
        if (answer && !outcome.setAside.has(index)) this.answer(queued, answer);
      });
      this.publisher.publish(outcome);
    } catch (error) {
      this.fail(batch, error);
    }
  }

  private fail(batch: QueuedCommand[], error: unknown): void {
    const body = this.errors.toErrorBody(error, { ids: contextsOf(batch).map(({ id }) => id) });
    for (const queued of batch) this.answer(queued, { ok: false, error: body });
  }

  private answer(queued: QueuedCommand, answer: Answer<unknown>): void {
    const { command, since, answer: respond } = queued;
    this.metrics.command(command.name, answer.ok ? 'OK' : answer.error.code, performance.now() - since);
    respond(answer);
    this.sideLane.answered(queued, answer);
  }
}

function contextsOf(batch: readonly QueuedCommand[]): RequestContext[] {
  return batch.flatMap(({ source }) => source.context ?? []);
}
