import type { ChangeCommand, OrderCommand, OrderStatus } from '../../src/contract/transitions.js';

export const statuses: Record<OrderStatus, string> = {
  placed: 'Unpaid',
  paid: 'Paid',
  shipped: 'Shipped',
  received: 'Received',
  cancelled: 'Cancelled',
};
export const commands: Record<OrderCommand, string> = {
  pay: 'Pay',
  ship: 'Ship',
  receive: 'Confirm receipt',
  cancel: 'Cancel order',
  accept: 'Accept',
  refund: 'Refund',
  track: 'Change tracking',
};
/** Changes that leave the status as it is. */
export const amendments: Record<Exclude<ChangeCommand, 'place' | 'pay'>, string> = {
  ship: 'Partly shipped',
  receive: 'Parcel received',
  cancel: 'Partly cancelled',
  timeout: 'Parcel received',
  accept: 'Accepted',
  refund: 'Refunded',
  track: 'New tracking number',
  readdress: 'New address',
  note: 'Note',
  seen: 'Seen by the shop',
};
