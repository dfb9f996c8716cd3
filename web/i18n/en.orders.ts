import type { ChangeCommand, OrderCommand, OrderStatus } from '../../src/contract/transitions.js';

export const statuses: Record<OrderStatus, string> = {
  placed: 'Unpaid',
  paid: 'Paid',
  shipped: 'Shipped',
  received: 'Delivered',
  cancelled: 'Cancelled',
};
export const commands: Record<OrderCommand, string> = {
  pay: 'Pay',
  ship: 'Ship',
  receive: 'Mark as received',
  cancel: 'Cancel order',
  accept: 'Accept',
  refund: 'Refund',
  track: 'Edit tracking',
};
/** Changes that leave the status as it is. */
export const amendments: Record<Exclude<ChangeCommand, 'place' | 'pay'>, string> = {
  ship: 'Partly shipped',
  receive: 'Parcel delivered',
  cancel: 'Partly cancelled',
  timeout: 'Parcel delivered',
  accept: 'Accepted',
  refund: 'Refunded',
  track: 'Tracking updated',
  readdress: 'Address changed',
  note: 'Note',
  seen: 'Seen by the shop',
};
