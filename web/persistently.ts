const RETRY_AFTER_MS = 1_000;

/** Loads the code of a screen: until it is there, since the hub may be away for a moment. */
export async function persistently<Screen>(load: () => Promise<Screen>): Promise<Screen> {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    }
  }
}
