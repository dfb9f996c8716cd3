/**
 * The client library, for browsers and Node:
 *
 *     const api = createApi({ url });
 *     const { token } = await api.call('login', { userId, password });
 *     const hub = connect({ url, token, storage: localStorageOf(userId) });
 *     hub.on('order', (event) => show(event)); // each change once, in order, also after a disconnection
 *     const order = await hub.place({ storeId, items, expectedTotal });
 */
import type { ConnectOptions, HubClient } from './hub.client.js';
import { SocketClient } from './socket.client.js';

export { type ErrorCode, HubError } from '../contract/errors.js';
export { type Api, type ApiOptions, createApi } from './api.js';
export { type CursorStorage, localStorageOf } from './cursor.storage.js';
export type {
  CallOptions,
  ClientErrorCode,
  ClientEvents,
  ClientState,
  ConnectOptions,
  EndedReason,
  HubClient,
} from './hub.client.js';

/**
 * Connects to the hub and reconnects until the client is closed or its session ends. Returns at once: calls made before the
 * connection is open wait for it. A rejected token is reported by the event `ended`. Throws a `TypeError` if `url` is invalid.
 */
export function connect(options: ConnectOptions): HubClient {
  return new SocketClient(options);
}
