import { selectList } from '../platform/database/select.list.js';
import type { PayoutRow, TopupRow } from './rows.js';

/** The columns of top-ups and payouts, by field, for statements that are not TypeORM's. */
export const topupFields = {
  topupId: 'topup_id',
  userId: 'user_id',
  orderId: 'order_id',
  amount: 'amount',
  currency: 'currency',
  provider: 'provider',
  status: 'status',
  eventId: 'event_id',
  createdAt: 'created_at',
  settledAt: 'settled_at',
  dueAt: 'due_at',
} as const satisfies Record<keyof TopupRow, string>;

export const payoutFields = {
  payoutId: 'payout_id',
  userId: 'user_id',
  amount: 'amount',
  currency: 'currency',
  provider: 'provider',
  status: 'status',
  createdAt: 'created_at',
  settledAt: 'settled_at',
  dueAt: 'due_at',
} as const satisfies Record<keyof PayoutRow, string>;

/** What a provider's word changes. */
export const topupColumnsThatChange = ['status', 'event_id', 'settled_at', 'due_at'];
export const payoutColumnsThatChange = ['status', 'settled_at', 'due_at'];

export const topupColumns = selectList(topupFields);
export const payoutColumns = selectList(payoutFields);
