export type { LoadedOrder } from '../src/react/loaded.order.js';
