import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import type { Role } from '../contract/transitions.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { EventPublisher } from '../rooms/event.publisher.js';
import { CommandPressure } from './command.pressure.js';
import { type WatchedWebhook, WebhookCursors } from './webhook.cursors.js';
import type { Webhook } from './webhook.entity.js';
import { DELIVERIES_MAX, type Flight, WebhookFlights } from './webhook.flights.js';
import { WebhookIndex } from './webhook.index.js';
import { WebhookLetters } from './webhook.letters.js';
import { isDue, isFree, LEASE_MS, type Outcome, settle, type WebhookChange } from './webhook.rules.js';
import { WebhookWalk } from './webhook.walk.js';

const ROUND_INTERVAL_MS = 250;
/** A request is given up this long before its lease ends: then another hub may send it. */
const LEASE_MARGIN_MS = 500;
const LEASE_CHECK_MS = 250;
/** At shutdown, for requests that are under way. */
const STOP_TIMEOUT_MS = 4_000;
const ANSWERED_CHECK_MS = 20;
const RELEASED = { holder: '', leasedUntil: 0 } satisfies WebhookChange;

/** What a round stores. */
interface Round {
  now: number;
  /** The end of its leases, as a `performance.now()`. */
  leaseEndsAt: number;
  /** The heads of the rooms of the webhooks to be taken. */
  heads: Map<string, number>;
  outcomes: Map<string, Outcome>;
}

/**
 * Delivers to webhooks, in rounds that never overlap: each stores the outcomes of the last requests and takes the leases of further
 * webhooks in one transaction, reads their events together, and sends their requests. A wakeup makes an event arrive soon; that it arrives
 * is up to the walk, which compares every position with its room's head. A position moves only from where its request began,
 * while this hub holds the lease, and unless the user has changed the webhook since: so events are repeated at worst.
 */
@Injectable()
export class WebhookDeliverer implements OnApplicationBootstrap {
  private readonly hubId: string;
  private readonly poller: Poller;
  private readonly index = new WebhookIndex();
  /** Webhooks that may have something to deliver. */
  private readonly waiting = new Set<string>();
  private readonly pressure = new CommandPressure();
  private readonly walk: WebhookWalk;
  private leaseTimer: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(
    database: Database,
    private readonly cursors: WebhookCursors,
    private readonly letters: WebhookLetters,
    private readonly flights: WebhookFlights,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly publisher: EventPublisher,
  ) {
    // Only one hub can use an embedded database: it needs no lease, and waits for none after a crash.
    this.hubId = database.dialect.singleWriter ? '' : uuid();
    this.walk = new WebhookWalk(cursors);
    this.poller = new Poller({
      intervalMs: ROUND_INTERVAL_MS,
      poll: () => this.round(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'webhooks cannot be read or written now'),
    });
  }

  onApplicationBootstrap(): void {
    this.publisher.onCommitted((role, userId, head) => this.onCommitted(role, userId, head));
    if (this.hubId !== '') this.leaseTimer = setInterval(() => this.flights.abandonLapsed(), LEASE_CHECK_MS).unref();
    this.poller.start();
  }

  /** A user has created or changed a webhook. */
  wake(webhook: Pick<Webhook, 'webhookId' | 'role' | 'userId'>): void {
    this.index.add(webhook);
    this.waiting.add(webhook.webhookId);
    this.poller.wake();
  }

  /** When the next request that was put off may begin. */
  nextDueAt(): Promise<number | undefined> {
    return this.cursors.nextDueAt(this.clock.now());
  }

  /** Sends what is due, and resolves when its receivers have answered, or after this time. */
  async sendDue(withinMs: number): Promise<void> {
    for (const endsAt = performance.now() + withinMs; performance.now() < endsAt; await sleep(ANSWERED_CHECK_MS)) {
      this.walk.hurry();
      await this.poller.pollNext();
      if (this.flights.all().length + this.waiting.size === 0 && !this.walk.isUnderway) return;
    }
  }

  /** Begins no further request, waits for those under way, and gives the leases back. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.poller.stop();
    const endsAt = performance.now() + STOP_TIMEOUT_MS;
    const isBusy = () => this.flights.all().some(({ outcome }) => !outcome);
    while (isBusy() && performance.now() < endsAt) {
      await sleep(ANSWERED_CHECK_MS);
      await this.lastRound();
    }
    clearInterval(this.leaseTimer);
    for (const flight of this.flights.all()) this.flights.abandon(flight);
    await this.lastRound();
  }

  /** Stores outcomes, renews leases and begins nothing. */
  private lastRound(): Promise<void> {
    return this.round().catch((error: unknown) =>
      this.logger.warn({ error: String(error) }, 'webhooks cannot be read or written now'),
    );
  }

  /** Under pressure, what comes until the next round is sent together. */
  private wakeUnlessPressed(): void {
    if (!this.pressure.isHigh) this.poller.wake();
  }

  private onCommitted(role: Role, userId: string, head: number): void {
    this.pressure.count();
    for (const webhookId of this.index.of(role, userId) ?? []) {
      const flight = this.flights.get(webhookId);
      if (flight) flight.webhook.head = Math.max(flight.webhook.head, head);
      else if (!this.waiting.has(webhookId)) {
        this.waiting.add(webhookId);
        this.wakeUnlessPressed();
      }
    }
  }

  private async round(): Promise<void> {
    this.pressure.measure();
    const candidates = this.isStopping ? [] : await this.candidates();
    const leaseEndsAt = performance.now() + LEASE_MS - LEASE_MARGIN_MS;
    const next = await this.storeAndTake(candidates, leaseEndsAt);
    let hasOutcome = false;
    for await (const { webhook, letter } of this.letters.write(next)) {
      if (letter) this.flights.launch(letter, leaseEndsAt, () => this.wakeUnlessPressed());
      else this.flights.reportMissing(webhook, leaseEndsAt);
      hasOutcome ||= letter === undefined;
    }
    if (hasOutcome) this.wakeUnlessPressed();
  }

  /** Webhooks with something to deliver, as many as there is room for. */
  private async candidates(): Promise<WatchedWebhook[]> {
    await this.walkOn();
    const ids = [...this.waiting].slice(0, this.pressure.isHigh ? this.pressure.requestsMax : DELIVERIES_MAX);
    for (const id of ids) this.waiting.delete(id);
    const now = this.clock.now();
    const found = (await this.cursors.find(ids)).filter(
      (webhook) =>
        isDue(webhook, webhook.head, now) &&
        isFree(webhook, this.hubId, this.clock.realNow()) &&
        this.flights.get(webhook.webhookId) === undefined,
    );
    const taken = { all: 0, slow: 0 };
    return found.filter((webhook) => {
      if (this.flights.hasRoom(webhook, taken)) return true;
      // Behind the others that wait.
      this.waiting.add(webhook.webhookId);
      return false;
    });
  }

  private async walkOn(): Promise<void> {
    const step = await this.walk.next(this.clock.now());
    for (const webhook of step?.page ?? []) {
      this.index.add(webhook);
      if (webhook.isDue === 1 && !this.flights.get(webhook.webhookId)) this.waiting.add(webhook.webhookId);
    }
    if (step?.isOver) for (const webhookId of this.index.endWalk()) this.flights.forget(webhookId);
  }

  /** Stores outcomes, renews leases and takes those of the candidates. Returns the webhooks whose next request may begin. */
  private async storeAndTake(candidates: WatchedWebhook[], leaseEndsAt: number): Promise<WatchedWebhook[]> {
    const isLeased = this.hubId !== '';
    const round: Round = { now: this.clock.now(), leaseEndsAt, heads: new Map(), outcomes: new Map() };
    const halfOver = performance.now() + LEASE_MS / 2;
    const flights = this.flights
      .all()
      .filter(({ outcome, leaseEndsAt }) => outcome || (isLeased && leaseEndsAt < halfOver));
    // Those that end from now on are for the next round.
    for (const { webhook, outcome } of flights) if (outcome) round.outcomes.set(webhook.webhookId, outcome);
    if (isLeased) for (const { webhookId, head } of candidates) round.heads.set(webhookId, head);
    const ids = [...flights.map(({ webhook }) => webhook.webhookId), ...round.heads.keys()];
    const stored = ids.length === 0 ? [] : await this.cursors.change(ids, (webhook) => this.changeOf(webhook, round));
    const byId = new Map(stored.map((webhook) => [webhook.webhookId, webhook]));
    const next = isLeased ? this.takenOf(byId, round) : [...candidates];
    for (const flight of flights) {
      const webhook = byId.get(flight.webhook.webhookId);
      if (webhook) next.push(...this.afterChange(flight, webhook, round));
    }
    await this.removeDeleted(flights.filter(({ webhook }) => !byId.has(webhook.webhookId)));
    return next;
  }

  private changeOf(webhook: Webhook, { now, heads, outcomes }: Round): WebhookChange {
    const realNow = this.clock.realNow();
    const lease = { holder: this.hubId, leasedUntil: this.hubId === '' ? 0 : realNow + LEASE_MS };
    const flight = this.flights.get(webhook.webhookId);
    if (!flight) {
      const head = heads.get(webhook.webhookId) ?? 0;
      return isDue(webhook, head, now) && isFree(webhook, this.hubId, realNow) ? lease : {};
    }
    // Another hub has taken over.
    if (webhook.holder !== this.hubId) return {};
    const outcome = outcomes.get(webhook.webhookId);
    if (!outcome) return lease;
    const change = settle(webhook, outcome, now);
    return { ...change, ...(this.goesOn({ ...webhook, ...change }, flight, now) ? lease : RELEASED) };
  }

  private goesOn(webhook: Webhook, flight: Flight, now: number): boolean {
    return !this.isStopping && !this.pressure.isHigh && isDue(webhook, flight.webhook.head, now);
  }

  private takenOf(stored: ReadonlyMap<string, Webhook>, { heads, now }: Round): WatchedWebhook[] {
    return [...heads].flatMap(([webhookId, head]) => {
      const webhook = stored.get(webhookId);
      return webhook?.holder === this.hubId && isDue(webhook, head, now) ? [{ ...webhook, head }] : [];
    });
  }

  private afterChange(flight: Flight, webhook: Webhook, { outcomes, leaseEndsAt, now }: Round): WatchedWebhook[] {
    const isMine = webhook.holder === this.hubId;
    if (!outcomes.has(webhook.webhookId)) {
      if (isMine) flight.leaseEndsAt = leaseEndsAt;
      return [];
    }
    this.flights.remove(flight);
    const { head } = flight.webhook;
    if (isMine && this.goesOn(webhook, flight, now)) return [{ ...webhook, head }];
    // An event that was committed meanwhile found the request still under way.
    if (webhook.delivered < head) this.waiting.add(webhook.webhookId);
    return [];
  }

  /** What was not changed is held by another client for the moment, or deleted. */
  private async removeDeleted(flights: readonly Flight[]): Promise<void> {
    const found = await this.cursors.find(flights.map(({ webhook }) => webhook.webhookId));
    const existing = new Set(found.map(({ webhookId }) => webhookId));
    for (const flight of flights) {
      if (existing.has(flight.webhook.webhookId)) continue;
      this.flights.abandon(flight);
      this.flights.remove(flight);
    }
  }
}
