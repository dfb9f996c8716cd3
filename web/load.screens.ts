import { persistently } from './persistently.js';

/** Every screen but the shop's list of books, and the connection to the hub: they load once the first screen is there. */
export function loadScreens(): Promise<typeof import('./screens.js')> {
  return persistently(() => import('./screens.js'));
}
