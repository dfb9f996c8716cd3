/**
 * Hooks for pages in React, on the client library:
 *
 *     <HubProvider url={url} token={token}>…</HubProvider>
 *
 *     const { orders } = useOrders('seller', { status: 'paid', all: true }); // follows every change
 *     const ship = useCommand('ship'); // ship.send({ orderId }), ship.isPending, ship.error
 */
export { createApi, HubError, localStorageOf } from '../client/connect.js';
export { HubProvider, type HubProviderProps, useHub } from './hub.provider.js';
export type { ConnectionStatus, HubEvents, HubSession, HubSource } from './hub.source.js';
export type { LoadedOrder } from './loaded.order.js';
export { type BookSearch, useBooks } from './use.books.js';
export { type Command, type CommandName, useCommand } from './use.command.js';
export { useConnection } from './use.connection.js';
export { useOrder } from './use.order.js';
export { useOrders } from './use.orders.js';
