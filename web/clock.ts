import { Store, useStore } from './store.js';

const SECOND_MS = 1_000;

/** How far this machine's clock is behind the hub's: what the hub says expires at a time, expires by the hub's clock. */
let behindMs = 0;
const now = new Store(Date.now());
setInterval(() => now.set(Date.now() + behindMs), SECOND_MS);

export function setHubTime(serverTime: string): void {
  behindMs = Date.parse(serverTime) - Date.now();
}

/** The hub's time in epoch milliseconds, anew every second. */
export function useNow(): number {
  return useStore(now);
}

/** `125000` → `2:05`. */
export function clockLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, ...rest] = parts;
  const shown = hours > 0 ? parts : rest;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

export function dayAndTime(iso: string): string {
  return new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(iso),
  );
}

/** The time where it is of today, else the day too. */
export function shortTime(iso: string): string {
  const isOfToday = Date.parse(iso) >= startOfToday();
  const day = isOfToday ? {} : ({ month: 'short', day: 'numeric' } as const);
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { ...day, hour: 'numeric', minute: '2-digit' });
  return format.format(new Date(iso));
}

export function startOfToday(): number {
  return new Date().setHours(0, 0, 0, 0);
}
