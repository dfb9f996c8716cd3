import { Store, useStore } from './store.js';

const SECOND_MS = 1_000;

/** The hub's clock minus this device's clock: deadlines are given in the hub's time. */
let clockOffsetMs = 0;
const now = new Store(Date.now());
setInterval(() => now.set(hubNow()), SECOND_MS);

export function setHubTime(serverTime: string): void {
  clockOffsetMs = Date.parse(serverTime) - Date.now();
}

export function hubNow(): number {
  return Date.now() + clockOffsetMs;
}

/** The hub's time in epoch milliseconds, updated every second. */
export function useNow(): number {
  return useStore(now);
}

/** `125000` → `2:05`. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, ...rest] = parts;
  const shown = hours > 0 ? parts : rest;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

export function formatDateTime(iso: string): string {
  return formatterOf({ dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
}

/** The time alone for today, with the date for other days. */
export function formatTime(iso: string): string {
  const isToday = Date.parse(iso) >= startOfToday();
  const date = isToday ? {} : ({ month: 'short', day: 'numeric' } as const);
  return formatterOf({ ...date, hour: 'numeric', minute: '2-digit' }).format(new Date(iso));
}

/** Kept by language and options: making a formatter takes longer than rendering the rest of a card. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const { lang } = document.documentElement;
  const key = JSON.stringify([lang, options]);
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat(lang, options);
  formatters.set(key, formatter);
  return formatter;
}

/** Midnight of the device's time zone, in epoch milliseconds. */
export function startOfToday(): number {
  return new Date().setHours(0, 0, 0, 0);
}
