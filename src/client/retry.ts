import type { ErrorBody } from '../contract/errors.js';

/** The hub answers every request within this time; without an answer the connection counts as dead. */
export const ANSWER_TIMEOUT_MS = 5_000;
const INITIAL_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 8_000;

const KEY_BYTES = 16;

/** A random idempotency key. Not `crypto.randomUUID`, which browsers offer only over HTTPS and on localhost. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The delay before the next attempt, in milliseconds, after `failures` failed ones in a row: exponential backoff with full
 * jitter, so that clients that failed together do not retry together, on top of the `retryAfterMs` that the hub requested.
 */
export function retryDelayMs(failures: number, error?: Pick<ErrorBody, 'details'>): number {
  const backoffMs = Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** (failures - 1));
  return retryAfterMs(error?.details) + Math.random() * backoffMs;
}

/** Rejects with the signal's reason as soon as the signal aborts. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function retryAfterMs(details: unknown): number {
  if (typeof details !== 'object' || details === null || !('retryAfterMs' in details)) return 0;
  return typeof details.retryAfterMs === 'number' ? details.retryAfterMs : 0;
}
