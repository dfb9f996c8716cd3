import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { BATCH_COMMANDS_MAX } from '../commands/command.backlog.js';
import { CommandQueue } from '../commands/command.queue.js';
import { Clock } from '../platform/clock/clock.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { OrderEntity } from './order.entity.js';

/** The contract allows the hub one second after an order's time has come. */
const POLL_INTERVAL_MS = 300;
/** A command that waits for a held row delays the next orders by no more than this. */
const WAIT_MS = 300;
const UNDERWAY_MAX = BATCH_COMMANDS_MAX;
/** Of an order that is due, while the database is too busy or another client holds its row. */
const ATTEMPTS_MAX = 3;

type Due = { orderId: string; dueAt: number };

/**
 * Submits `order:timeout` when an order's time has come: unpaid orders are cancelled, and paid ones that are not accepted or
 * shipped; shipped ones are received. The rule decides, so a payment or another hub's scheduler in the same instant is a race like
 * any other. The first poll finds what came due while no hub was running.
 */
@Injectable()
export class OrderScheduler implements OnApplicationBootstrap {
  private readonly poller: Poller;
  /** Orders whose commands have not been answered yet; resolved with whether the answer is final. */
  private readonly underway = new Map<string, Promise<boolean>>();
  private stopped = false;

  constructor(
    private readonly commands: CommandQueue,
    private readonly clock: Clock,
    @InjectRepository(OrderEntity) private readonly orders: Repository<OrderEntity>,
    logger: Logger,
  ) {
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'orders that are due could not be read'),
    });
  }

  onApplicationBootstrap(): void {
    this.poller.start();
  }

  /** Stops polling, and resolves when no poll is running. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.poller.stop();
  }

  /** When the next order comes due, in epoch milliseconds. */
  async nextDueAt(): Promise<number | undefined> {
    const [row]: { dueAt: number | null }[] = await this.orders.query(
      'SELECT MIN(due_at) AS dueAt FROM orders WHERE due_at > ?',
      [this.clock.now()],
    );
    return row?.dueAt == null ? undefined : Number(row.dueAt);
  }

  /** Acts on all orders that are due, and resolves when that is done. What cannot be acted on is left to the polls. */
  async actOnDue(): Promise<void> {
    const attempts = new Map<string, number>();
    for (let isDone = false; !isDone && !this.stopped; ) {
      isDone = true;
      const now = this.clock.now();
      for (let last: Due | undefined = { dueAt: 0, orderId: '' }; last; ) {
        const due: Due[] = await this.dueAfter(last, now);
        const attempt = async ({ orderId, dueAt }: Due) => {
          const key = `${orderId} ${dueAt}`;
          const before = attempts.get(key) ?? 0;
          if (before === ATTEMPTS_MAX) return;
          isDone = false;
          attempts.set(key, (await this.submit(orderId)) ? ATTEMPTS_MAX : before + 1);
        };
        await Promise.all(due.map(attempt));
        last = due.length < BATCH_COMMANDS_MAX ? undefined : due.at(-1);
      }
    }
  }

  /** Goes through all orders that are due, also past those that cannot be acted on, which must not delay the others. */
  private async poll(): Promise<void> {
    const now = this.clock.now();
    let last = { dueAt: 0, orderId: '' };
    while (!this.stopped && this.underway.size < UNDERWAY_MAX) {
      const due = await this.dueAfter(last, now);
      const answered = Promise.all(due.map(({ orderId }) => this.submit(orderId)));
      await Promise.race([answered, sleep(WAIT_MS, undefined, { ref: false })]);
      const end = due.at(-1);
      if (due.length < BATCH_COMMANDS_MAX || !end) return;
      last = end;
    }
  }

  private submit(orderId: string): Promise<boolean> {
    const answered =
      this.underway.get(orderId) ??
      this.commands.submit('order:timeout', null, { orderId }).then((answer) => {
        this.underway.delete(orderId);
        return answer.ok || !answer.error.retryable;
      });
    this.underway.set(orderId, answered);
    return answered;
  }

  private async dueAfter(last: Due, now: number): Promise<Due[]> {
    const orders = await this.orders
      .createQueryBuilder('due')
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
