/**
 * The client library, for browsers and for Node:
 *
 *     const api = createApi({ url });
 *     const { token } = await api.call('login', { userId, password });
 *     const hub = connect({ url, token, storage: localStorageOf(userId) });
 *     hub.on('order', (event) => show(event)); // each change once, in order, also after a break
 *     const order = await hub.place({ storeId, items, expectedTotal });
 */
import type { ConnectOptions, HubClient } from './hub.client.js';
import { SocketClient } from './socket.client.js';

export { type Api, type ApiOptions, createApi } from './api.js';
export type { CallOptions, ClientEvents, ClientState, ConnectOptions, EndedReason, HubClient } from './hub.client.js';
export { HubError } from './hub.error.js';
export { type LastStorage, localStorageOf } from './last.storage.js';

/** Connects, and stays connected until it is closed or its session ends. Calls may be made at once: they wait. */
export function connect(options: ConnectOptions): HubClient {
  return new SocketClient(options);
}
