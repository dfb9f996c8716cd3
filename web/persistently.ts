import { delay } from '../src/client/retry.js';

const RETRY_AFTER_MS = 1_000;
const RELOAD_PAUSE_MS = 60_000;
const RELOADED_AT = 'reloaded-at';

/** Loads code that nobody waits for: until it is there, since the hub may be away for a moment. */
export async function persistently<Module>(load: () => Promise<Module>): Promise<Module> {
  for (;;) {
    try {
      return await load();
    } catch {
      await delay(RETRY_AFTER_MS);
    }
  }
}

/**
 * Loads the code of a screen that is waited for. Some browsers remember for the life of a page that a module could not be fetched,
 * and a hub that was upgraded no longer has what the page names: if the hub is there and the code is not, the page loads again.
 */
export function screenOf<Module>(load: () => Promise<Module>): Promise<Module> {
  return persistently(async () => {
    try {
      return await load();
    } catch (error) {
      const answers = await fetch('./health/live').then(
        ({ ok }) => ok,
        () => false,
      );
      if (!answers) throw error;
      return await load().catch((again) => {
        reload();
        throw again;
      });
    }
  });
}

/** Not again and again, where it does not help. */
function reload(): void {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED_AT)) < RELOAD_PAUSE_MS) return;
  sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  location.reload();
}
