import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../platform/database.js';
import { Logger } from '../platform/logger.js';
import { Watch } from '../platform/watch.js';
import { CommandQueue } from './command.queue.js';
import { OrderEntity } from './order.entity.js';
import { BATCH_COMMANDS_MAX } from './waiting.line.js';

/** The contract gives the hub a second from the moment that a time came due. */
const LOOK_EVERY_MS = 300;

type Due = { orderId: string; dueAt: number };

/**
 * Acts when the time of an order has come: cancels what was not paid, receives what was shipped long ago. It only asks the
 * queue; the rule decides, so a pay in the same instant and another hub's watch are races like any other. What came due
 * while no hub was running is found by the first look.
 */
@Injectable()
export class DueWatch implements OnApplicationBootstrap {
  private readonly watch: Watch;
  private stopped = false;

  constructor(
    private readonly database: Database,
    private readonly commands: CommandQueue,
    logger: Logger,
  ) {
    this.watch = new Watch({
      everyMs: LOOK_EVERY_MS,
      look: () => this.look(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'orders that are due could not be read'),
    });
  }

  onApplicationBootstrap(): void {
    this.watch.start();
  }

  /** Stops looking, and resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.watch.stop();
  }

  /** Goes through all that is due now, past those that cannot be acted on: they must not keep the others waiting. */
  private async look(): Promise<void> {
    const now = Date.now();
    let last = { dueAt: 0, orderId: '' };
    while (!this.stopped) {
      const due = await this.dueAfter(last, now);
      await Promise.all(due.map(({ orderId }) => this.commands.give('order:due', null, { orderId })));
      const end = due.at(-1);
      if (due.length < BATCH_COMMANDS_MAX || !end) return;
      last = end;
    }
  }

  private async dueAfter(last: Due, now: number): Promise<Due[]> {
    const orders = await this.database.read
      .createQueryBuilder(OrderEntity, 'due')
      .select(['due.orderId', 'due.dueAt'])
      .where('due.dueAt >= :dueAt AND due.dueAt <= :now', { ...last, now })
      .andWhere('(due.dueAt > :dueAt OR due.orderId > :orderId)')
      .orderBy('due.dueAt')
      .addOrderBy('due.orderId')
      .limit(BATCH_COMMANDS_MAX)
      .getMany();
    return orders.map(({ orderId, dueAt }) => ({ orderId, dueAt: dueAt ?? now }));
  }
}
