import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { OrderStatusPush } from '../contract/rooms.js';
import { WEBHOOK_EVENTS_MAX, type WebhookBody } from '../contract/webhooks.js';
import { RoomsService } from '../rooms/rooms.service.js';
import type { WatchedWebhook } from './webhook.cursors.js';

/** Events and rooms of one read: a few milliseconds of work. */
const EVENTS_PER_READ = 1_000;
const ROOMS_PER_READ = 100;

/** A request to come: its body, and what it delivers. */
export interface Letter {
  webhook: WatchedWebhook;
  firstSeq: number;
  lastSeq: number;
  count: number;
  /** When the last of its events happened, in epoch milliseconds. */
  lastAt: number;
  body: string;
}

/** Reads the next events of many webhooks, and writes the bodies of their requests. */
@Injectable()
export class WebhookLetters {
  constructor(private readonly rooms: RoomsService) {}

  /** The next request of each webhook. Those whose next events cannot be found get none. */
  async *write(webhooks: readonly WatchedWebhook[]): AsyncGenerator<{ webhook: WatchedWebhook; letter?: Letter }> {
    for (const part of parts(webhooks)) {
      const positions = part.map(({ role, userId, delivered }) => ({ role, userId, after: delivered }));
      const found = await this.rooms.eventsAfterEach(positions, WEBHOOK_EVENTS_MAX);
      for (const [index, webhook] of part.entries()) {
        const events = await this.afterGap(webhook, found[index] ?? []);
        yield events.length === 0 ? { webhook } : { webhook, letter: letterOf(webhook, events) };
      }
      // The embedded database never yields: let the sockets be served between two reads.
      await setImmediate();
    }
  }

  /** Where the next events are past their keeping time, those that are there. */
  private async afterGap(webhook: WatchedWebhook, events: OrderStatusPush[]): Promise<OrderStatusPush[]> {
    const { role, userId, delivered } = webhook;
    const found =
      events.length > 0 ? events : await this.rooms.eventsAfter(role, userId, delivered, WEBHOOK_EVENTS_MAX);
    // Up to the next gap: the request after this one reports it.
    return found.filter(({ seq }, index) => seq === Number(found[0]?.seq) + index);
  }
}

function letterOf(webhook: WatchedWebhook, events: OrderStatusPush[]): Letter {
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) throw new Error('A request delivers at least one event');
  const complete = webhook.complete === 1 && first.seq === webhook.delivered + 1;
  const { role, userId, head } = webhook;
  return {
    webhook,
    firstSeq: first.seq,
    lastSeq: last.seq,
    count: events.length,
    lastAt: Date.parse(last.at),
    body: bodyOf({ role, userId, events, head: Math.max(head, last.seq), complete }),
  };
}

export function bodyOf(body: WebhookBody): string {
  return JSON.stringify(body);
}

/** In parts with a bounded number of rooms and events. */
function parts(webhooks: readonly WatchedWebhook[]): WatchedWebhook[][] {
  const all: WatchedWebhook[][] = [];
  let events = Number.POSITIVE_INFINITY;
  for (const webhook of webhooks) {
    const expected = Math.min(WEBHOOK_EVENTS_MAX, webhook.head - webhook.delivered);
    const last = all.at(-1);
    if (last && last.length < ROOMS_PER_READ && events + expected <= EVENTS_PER_READ) {
      last.push(webhook);
      events += expected;
    } else {
      all.push([webhook]);
      events = expected;
    }
  }
  return all;
}
