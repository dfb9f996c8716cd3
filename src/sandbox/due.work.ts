import { Injectable } from '@nestjs/common';
import { RetentionService } from '../commands/retention.service.js';
import { OrderScheduler } from '../orders/order.scheduler.js';
import { WordsRetention } from '../orders/words.retention.js';
import { PaymentScheduler } from '../payments/payment.scheduler.js';
import { PushDispatcher } from '../push/push.dispatcher.js';
import { WebhookDeliverer } from '../webhooks/webhook.deliverer.js';
import { WebhookFailures } from '../webhooks/webhook.failures.js';

/** For receivers that do not answer: what they are sent is not waited for any longer. */
const RECEIVERS_MS = 2_000;

/** What the hub does by itself when its time has come, all of it at call. */
@Injectable()
export class DueWork {
  constructor(
    private readonly orders: OrderScheduler,
    private readonly payments: PaymentScheduler,
    private readonly webhooks: WebhookDeliverer,
    private readonly failures: WebhookFailures,
    private readonly push: PushDispatcher,
    private readonly retention: RetentionService,
    private readonly words: WordsRetention,
  ) {}

  /** When an order comes due next. */
  nextOrderAt(): Promise<number | undefined> {
    return this.orders.nextDueAt();
  }

  /** When a payment provider is asked, a webhook tried, or a device rung, next. */
  async nextTryAt(): Promise<number> {
    const all = [this.payments.nextDueAt(), this.webhooks.nextDueAt(), this.push.nextDueAt()];
    return Math.min(...(await Promise.all(all)).map((time) => time ?? Number.POSITIVE_INFINITY));
  }

  /** Does what is due now. */
  async run(): Promise<void> {
    await this.orders.actOnDue();
    await this.payments.actOnDue();
    await this.webhooks.sendDue(RECEIVERS_MS);
    await this.failures.check();
    await this.push.pushDue(RECEIVERS_MS);
  }

  /** Deletes what is past its keeping time. */
  async purge(): Promise<void> {
    await this.retention.purge();
    await this.words.purge();
  }
}
