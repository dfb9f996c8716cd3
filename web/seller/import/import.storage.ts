/** Of this tab alone: another tab has its own import. */
const KEY = 'order-hub:import';
/** Saving what takes thousands of rows back is too much for every row. */
const SAVE_INTERVAL_MS = 2_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let latest: (() => unknown) | undefined;

export function save(value: unknown): void {
  forgetTimer();
  try {
    sessionStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden: the import can be undone for as long as the page lives.
  }
}

/** Saves now and then, and when the page is left. */
export function saveSoon(read: () => unknown): void {
  latest = read;
  timer ??= setTimeout(() => save(read()), SAVE_INTERVAL_MS);
}

addEventListener('pagehide', () => {
  if (latest) save(latest());
});

export function readSaved<T>(): T | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

export function clearSaved(): void {
  forgetTimer();
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}

function forgetTimer(): void {
  clearTimeout(timer);
  timer = undefined;
  latest = undefined;
}
