import { selectList } from '../platform/database/select.list.js';
import type { StorePolicy, StoreRow } from './rows.js';

/** The columns of a store's row, by field, for statements that are not TypeORM's. */
const policyFields = {
  ownerId: 'owner_id',
  isOpen: 'is_open',
  pausedUntil: 'paused_until',
  acceptWithinSeconds: 'accept_within_seconds',
} as const satisfies Record<keyof StorePolicy, string>;
export const storeFields = {
  storeId: 'store_id',
  name: 'name',
  createdAt: 'created_at',
  version: 'version',
  ...policyFields,
} as const satisfies Record<keyof StoreRow, string>;

/** Who owns a store and when its row was made never changes. */
export const storeFieldsThatChange = ['name', 'version', 'isOpen', 'pausedUntil', 'acceptWithinSeconds'] as const;

export const policyColumns = selectList(policyFields);
export const storeColumns = selectList(storeFields);
