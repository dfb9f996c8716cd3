import { persistently, screenOf } from './persistently.js';

const load = () => import('./screens.js');

/** Every screen but the shop's list of books, and the connection to the hub: they load once the first screen is there. */
export function loadScreens(): Promise<typeof import('./screens.js')> {
  return screenOf(load);
}

/** So that they are there before a link to one is followed. */
export function preloadScreens(): void {
  void persistently(load);
}
