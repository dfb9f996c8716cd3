import type { StoreRow } from '../commands/rows.js';
import { openingOf } from '../commands/unit.of.work.js';
import { isoTime } from '../contract/fields.js';
import type { StoreView } from '../contract/stores.js';

/** The store as it is published at this time. */
export function presentStore(store: Omit<StoreRow, 'version'>, now: number): StoreView {
  const { storeId, name, ownerId, createdAt, acceptWithinSeconds } = store;
  return { storeId, name, ownerId, createdAt: isoTime(createdAt), acceptWithinSeconds, ...openingOf(store, now) };
}
