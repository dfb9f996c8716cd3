import { Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Metrics } from '../platform/observability/metrics.js';
import type { WatchedWebhook } from './webhook.cursors.js';
import type { Letter } from './webhook.letters.js';
import { isDelivered, type Outcome, type Result } from './webhook.rules.js';
import { WebhookSender } from './webhook.sender.js';

/** Requests under way at once. Those to receivers that fail or are slow have a part of their own: they must not stop the others. */
export const DELIVERIES_MAX = 512;
export const SLOW_DELIVERIES_MAX = 128;
/** A receiver that takes longer counts as slow until it is faster. */
const SLOW_MS = 1_000;
/** A room whose next events cannot be read for longer has lost them. */
const LOST_AFTER_MS = 30_000;

/** A webhook that this hub delivers: its request is under way, or its outcome is yet to be stored. */
export interface Flight {
  webhook: WatchedWebhook;
  /** The end of the lease as a `performance.now()`, a little early. */
  leaseEndsAt: number;
  isSlow: boolean;
  outcome?: Outcome;
  stop: AbortController;
}

/** The requests under way, one for each webhook. */
@Injectable()
export class WebhookFlights {
  private readonly flights = new Map<string, Flight>();
  private readonly slow = new Set<string>();
  /** Since when the next events of a webhook cannot be found. */
  private readonly withoutEvents = new Map<string, number>();
  private slowCount = 0;

  constructor(
    private readonly sender: WebhookSender,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  get(webhookId: string): Flight | undefined {
    return this.flights.get(webhookId);
  }

  all(): Flight[] {
    return [...this.flights.values()];
  }

  /** Whether there is room for one more to this receiver, besides those that were found to have room before. */
  hasRoom(webhook: WatchedWebhook, taken: { all: number; slow: number }): boolean {
    const isSlow = this.isSlow(webhook);
    if (this.flights.size + taken.all >= DELIVERIES_MAX) return false;
    if (isSlow && this.slowCount + taken.slow >= SLOW_DELIVERIES_MAX) return false;
    taken.all++;
    if (isSlow) taken.slow++;
    return true;
  }

  /** Sends a request. `onOutcome` is called when it is answered, or can no longer be. */
  launch(letter: Letter, leaseEndsAt: number, onOutcome: () => void): void {
    const { webhook, firstSeq, lastSeq, body } = letter;
    const flight = this.add(webhook, leaseEndsAt);
    this.withoutEvents.delete(webhook.webhookId);
    const from = performance.now();
    const message = { id: `${webhook.webhookId}.${firstSeq}`, body, signal: flight.stop.signal };
    void this.sender.send(webhook, message).then((status) => {
      if (flight.outcome) return;
      if (performance.now() - from > SLOW_MS) this.slow.add(webhook.webhookId);
      else this.slow.delete(webhook.webhookId);
      const result: Result = { kind: 'answered', status, upTo: lastSeq };
      this.end(flight, result);
      if (isDelivered(result)) this.metrics.webhookDelivered(letter.count, this.clock.now() - letter.lastAt);
      else this.metrics.webhookFailed();
      onOutcome();
    });
  }

  /** The webhook's next events cannot be found: not yet, or no longer. */
  reportMissing(webhook: WatchedWebhook, leaseEndsAt: number): void {
    const now = performance.now();
    const since = this.withoutEvents.get(webhook.webhookId) ?? now;
    this.withoutEvents.set(webhook.webhookId, since);
    const isLost = now - since > LOST_AFTER_MS;
    this.end(this.add(webhook, leaseEndsAt), isLost ? { kind: 'purged', upTo: webhook.head } : { kind: 'behind' });
  }

  /** Gives up a request that is under way. It may have arrived all the same. */
  abandon(flight: Flight): void {
    if (flight.outcome) return;
    this.end(flight, { kind: 'abandoned' });
    flight.stop.abort();
  }

  /** Gives up the requests whose leases are about to end: another hub may send them. */
  abandonLapsed(): void {
    const now = performance.now();
    for (const flight of this.flights.values()) if (flight.leaseEndsAt < now) this.abandon(flight);
  }

  /** The outcome is stored, or the webhook is gone. */
  remove({ webhook: { webhookId }, isSlow, outcome }: Flight): void {
    if (!this.flights.delete(webhookId)) return;
    if (isSlow) this.slowCount--;
    if (outcome?.result.kind !== 'behind') this.withoutEvents.delete(webhookId);
  }

  /** The webhook was deleted. */
  forget(webhookId: string): void {
    this.slow.delete(webhookId);
  }

  private add(webhook: WatchedWebhook, leaseEndsAt: number): Flight {
    const flight = { webhook, leaseEndsAt, isSlow: this.isSlow(webhook), stop: new AbortController() };
    if (flight.isSlow) this.slowCount++;
    this.flights.set(webhook.webhookId, flight);
    return flight;
  }

  private end(flight: Flight, result: Result): void {
    const { delivered, epoch } = flight.webhook;
    flight.outcome = { delivered, epoch, result };
  }

  private isSlow({ webhookId, attempts }: WatchedWebhook): boolean {
    return attempts > 0 || this.slow.has(webhookId);
  }
}
