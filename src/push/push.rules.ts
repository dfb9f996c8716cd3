import { type NoticeKind, PUSHES_PER_NOTICE_MAX, UNSEEN_SECONDS } from '../contract/push.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import type { OrderStatus } from '../contract/transitions.js';
import type { PushNotice } from './push.notice.entity.js';

/** Of the last sign of a socket: a hub that has died renews no more. */
export const PRESENCE_LASTS_MS = 15_000;
/** From one push of a notice to the next. */
export const REPEATED_AFTER_MS = 60_000;
/** After this an order's change is no news. */
export const NOTICE_KEPT_MS = 86_400_000;
/** How soon a notice that waits for its user to leave is judged again. */
const LOOKED_AGAIN_AFTER_MS = 1_000;
const RETRY_MIN_MS = 2_000;
const RETRY_MAX_MS = 3_600_000;
const GONE = [404, 410];
const BY_HUB = 'hub';

export interface PushAnswer {
  status: number;
  retryAfterMs: number | undefined;
}

/** What the hub knows of a notice's order and user when it is due. */
export interface Situation {
  status: OrderStatus;
  /** When the user last had a socket at any hub; null if never. */
  seenAt: number | null;
  /** When a hub that still reports a socket last did; null if none does. */
  liveAt: number | null;
}

export type Decision = { do: 'push' } | { do: 'wait'; until: number } | { do: 'end' };

/** What an event is pushed for to those who hear its room, besides to the one who caused it. */
export function noticeOf({ role, status, previous, command, by, buyerId }: OrderStatusPush): NoticeKind | undefined {
  if (command === 'note') return (role === 'seller') === (by === buyerId) ? 'note' : undefined;
  if (status === previous) return undefined;
  if (role === 'seller') return status === 'paid' ? 'paid' : undefined;
  return status === 'shipped' || status === 'cancelled' ? status : undefined;
}

/** Whether someone of the shop has seen the order by then: who acts on it has. */
export function isSeenWith({ role, by, buyerId }: OrderStatusPush): boolean {
  return role === 'seller' && by !== buyerId && by !== BY_HUB;
}

/**
 * What to do about a notice that is due. A paid order waits until someone of the shop has seen it, and the notice is deleted; anything else
 * is seen once its user has had a socket, which was sent the event.
 */
export function judge(notice: PushNotice, { status, seenAt, liveAt }: Situation, now: number): Decision {
  const { kind, at, sent } = notice;
  const isOver = kind !== 'note' && status !== kind;
  if (isOver || sent >= PUSHES_PER_NOTICE_MAX || now - at > NOTICE_KEPT_MS) return { do: 'end' };
  const isLive = liveAt !== null && now - liveAt < PRESENCE_LASTS_MS;
  if (kind === 'paid') {
    const waitsUntil = at + UNSEEN_SECONDS * 1_000;
    if (sent > 0 || !isLive || now >= waitsUntil) return { do: 'push' };
    return { do: 'wait', until: Math.min(waitsUntil, now + LOOKED_AGAIN_AFTER_MS) };
  }
  if (seenAt !== null && seenAt >= at) return { do: 'end' };
  // The hub's last word is from before the event: its next one, or its silence, decides.
  return isLive ? { do: 'wait', until: now + LOOKED_AGAIN_AFTER_MS } : { do: 'push' };
}

export type Outcome = 'sent' | 'gone' | 'refused' | 'failed';

/** What an answer of a push service, or none, says of a message. */
export function outcomeOf(answer: PushAnswer | null): Outcome {
  if (answer === null || answer.status === 429 || answer.status >= 500) return 'failed';
  if (answer.status >= 200 && answer.status < 300) return 'sent';
  return GONE.includes(answer.status) ? 'gone' : 'refused';
}

/** What becomes of a notice by an outcome; undefined if it has come to its end. */
export function settle(notice: PushNotice, outcome: Outcome, answer: PushAnswer | null, now: number) {
  if (outcome === 'failed') {
    const failures = notice.failures + 1;
    return { ...notice, failures, nextAt: now + retryAfterMs(failures, answer?.retryAfterMs) };
  }
  const sent = notice.sent + 1;
  if (outcome !== 'sent' || sent >= PUSHES_PER_NOTICE_MAX) return undefined;
  return { ...notice, sent, failures: 0, nextAt: now + REPEATED_AFTER_MS };
}

/** Doubles with each failure, and is never sooner than the push service asks for. */
function retryAfterMs(failures: number, askedMs = 0): number {
  const backoffMs = RETRY_MIN_MS * 2 ** Math.min(failures - 1, 20) * (0.75 + Math.random() / 2);
  return Math.round(Math.min(RETRY_MAX_MS, Math.max(askedMs, backoffMs)));
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
