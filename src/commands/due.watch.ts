import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { Database } from '../platform/database.js';
import { Logger } from '../platform/logger.js';
import { BATCH_COMMANDS_MAX, CommandQueue } from './command.queue.js';
import { OrderEntity } from './order.entity.js';

/** The contract gives the hub a second from the moment that a time came due. */
const LOOK_EVERY_MS = 300;

/**
 * Acts when the time of an order has come: cancels what was not paid, receives what was shipped long ago. It only asks the
 * queue; the rule decides, so a pay in the same instant and another hub's watch are races like any other. What came due
 * while no hub was running is found by the first look.
 */
@Injectable()
export class DueWatch implements OnApplicationBootstrap {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly commands: CommandQueue,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.lookLater();
  }

  /** Stops looking, and resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private lookLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look()
        .catch((error: unknown) => this.logger.warn({ error: String(error) }, 'orders that are due could not be read'))
        .finally(() => this.lookLater());
    }, LOOK_EVERY_MS);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    while (!this.stopped) {
      const due = await this.database.read.find(OrderEntity, {
        select: { orderId: true },
        where: { dueAt: LessThanOrEqual(Date.now()) },
        order: { dueAt: 'ASC' },
        take: BATCH_COMMANDS_MAX,
      });
      const answers = await Promise.all(due.map(({ orderId }) => this.commands.give('order:due', null, { orderId })));
      // Ends when nothing is left, and when nothing moves: a database that is away is asked again at the next look.
      if (due.length < BATCH_COMMANDS_MAX || !answers.some(({ ok }) => ok)) return;
    }
  }
}
