import type { Webhook } from './webhook.entity.js';

/** Longer than a round of the deliverer, and so short that another hub takes over within seconds. */
export const LEASE_MS = 5_000;
export const RETRY_MIN_MS = 1_000;
export const RETRY_MAX_MS = 3_600_000;
/** Between two reads of events that are committed and cannot be read yet. */
const BEHIND_MS = 1_000;
const GONE = 410;
/** Of a lease that a wrong clock has given. */
const LEASE_MAX_MS = 60_000;

export type WebhookChange = Partial<Omit<Webhook, 'webhookId'>>;

/** What has become of the events after `delivered`, which were to be delivered while the user's changes counted `epoch`. */
export interface Outcome {
  delivered: number;
  epoch: number;
  result: Result;
}

export type Result =
  /** A receiver's answer to the events up to a number: its HTTP status, or null if none came. */
  | { kind: 'answered'; status: number | null; upTo: number }
  /** The events up to a number are no longer kept. */
  | { kind: 'purged'; upTo: number }
  /** They cannot be read yet. */
  | { kind: 'behind' }
  /** The request was given up, because of a shutdown or a lapsed lease. */
  | { kind: 'abandoned' };

export function isDelivered(result: Result): boolean {
  return result.kind === 'answered' && result.status !== null && result.status >= 200 && result.status < 300;
}

/** The change that an outcome makes. One from before a change by the user, or a move of the position, makes none. */
export function settle(webhook: Webhook, { delivered, epoch, result }: Outcome, now: number): WebhookChange {
  if (webhook.epoch !== epoch || webhook.delivered !== delivered) return {};
  switch (result.kind) {
    case 'answered':
      return isDelivered(result)
        ? { ...HEALTHY, delivered: result.upTo, complete: 1, lastStatus: result.status }
        : failed(webhook, result.status, now);
    case 'purged':
      return { delivered: result.upTo, complete: 0 };
    case 'behind':
      return { nextAt: now + BEHIND_MS };
    case 'abandoned':
      return {};
  }
}

/** What a success, a new address or an end of a pause makes of the failures before. */
export const HEALTHY = { attempts: 0, nextAt: 0, failingSince: null } satisfies WebhookChange;

function failed({ attempts, failingSince }: Webhook, status: number | null, now: number): WebhookChange {
  const change = { attempts: attempts + 1, failingSince: failingSince ?? now, lastStatus: status };
  return status === GONE ? { ...change, paused: 1 } : { ...change, nextAt: now + retryAfterMs(attempts) };
}

/** Doubles with each failure before, within a quarter more or less, so that receivers of one host are not tried together. */
export function retryAfterMs(failuresBefore: number): number {
  const ms = RETRY_MIN_MS * 2 ** Math.min(failuresBefore, 20) * (0.75 + Math.random() / 2);
  return Math.round(Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, ms)));
}

/** Whether a request may begin now, by any hub. */
export function isDue({ paused, nextAt, delivered }: Webhook, head: number, now: number): boolean {
  return paused === 0 && nextAt <= now && delivered < head;
}

/** Whether a hub may take the lease. */
export function isFree({ holder, leasedUntil }: Webhook, hubId: string, realNow: number): boolean {
  const leftMs = leasedUntil - realNow;
  return holder === hubId || leftMs <= 0 || leftMs > LEASE_MAX_MS;
}
