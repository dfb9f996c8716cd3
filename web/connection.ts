import type { ConnectionStatus } from '../src/react/hub.source.js';
import { Store } from './store.js';

/** The state of the connection. It is shown from the first screen on; the client that opens the connection loads later. */
export const connectionStatus = new Store<ConnectionStatus>({ state: 'offline', missed: 0, pending: 0 });

export function dismissMissed(): void {
  connectionStatus.update((before) => ({ ...before, missed: 0 }));
}
