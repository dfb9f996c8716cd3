/**
 * The wire contract as a package's entry: the shapes of messages, routes and pushes as zod schemas and as types, the errors, and
 * the table of an order's life.
 */
export * from './errors.js';
export type * from './order.requests.js';
export type * from './orders.js';
export type * from './rooms.js';
export type { SearchField } from './shop.js';
export type * from './stores.js';
export {
  allowedCommands,
  type OrderCommand,
  type OrderStatus,
  orderStatuses,
  type Role,
  roles,
} from './transitions.js';
export type * from './wallet.js';
export {
  type Answer,
  CONTRACT_VERSION,
  type Data,
  isCommand,
  type MessageName,
  messages,
  type Push,
  type PushName,
  pushes,
  type Request,
  routes,
} from './wire.js';
