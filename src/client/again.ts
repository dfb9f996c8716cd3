import type { ErrorBody } from '../contract/errors.js';

/** The hub answers everything within this time: who hears nothing for longer has lost the line. */
export const ANSWER_WITHIN_MS = 5_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

const KEY_BYTES = 16;

/** A key for a command. Not `crypto.randomUUID`, which pages have over HTTPS and on localhost only. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * How long to wait before the same is tried again, after so many failures in a row. Any length up to a limit that doubles
 * each time, so that those who failed together do not come back together; and never sooner than the hub asked for.
 */
export function pauseMs(failures: number, error?: Pick<ErrorBody, 'details'>): number {
  const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return askedPauseMs(error?.details) + Math.random() * most;
}

/** Rejects at once when the signal is given. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}

function askedPauseMs(details: unknown): number {
  if (typeof details !== 'object' || details === null || !('retryAfterMs' in details)) return 0;
  return typeof details.retryAfterMs === 'number' ? details.retryAfterMs : 0;
}
