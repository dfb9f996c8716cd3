import type { Tx } from '../platform/database/database.js';
import type { Dialect } from '../platform/database/dialect.js';
import { payoutColumns, topupColumns } from './payment.columns.js';
import type { RowLocker } from './row.locker.js';
import type { Keys } from './row.names.js';
import type { PayoutRow, TopupRow } from './rows.js';
import type { UnitOfWork } from './unit.of.work.js';

/** Loads and locks the top-ups and payouts that a batch needs, as batch.loader.ts does the rest: without a statement in most batches. */
export async function loadPayments(
  tx: Tx,
  dialect: Dialect,
  locker: RowLocker,
  keys: Keys,
  unit: UnitOfWork,
): Promise<void> {
  const [topupIds, payoutIds] = [[...new Set(keys.of('topups'))], [...new Set(keys.of('payouts'))]];
  const eventIds = [...new Set(keys.of('paymentEvents'))];
  const [topups, payouts] = await Promise.all([
    locker.select<TopupRow, string>({
      ...{ table: 'topups', columns: topupColumns, values: topupIds, keyOf: String },
      where: (some) => dialect.inCondition.values('topup_id', some),
      keyOfRow: ({ topupId }) => topupId,
    }),
    locker.select<PayoutRow, string>({
      ...{ table: 'payouts', columns: payoutColumns, values: payoutIds, keyOf: String },
      where: (some) => dialect.inCondition.values('payout_id', some),
      keyOfRow: ({ payoutId }) => payoutId,
    }),
  ]);
  for (const row of topups) unit.topups.set(row.topupId, row);
  for (const row of payouts) unit.payouts.set(row.payoutId, row);
  if (eventIds.length === 0) return;
  // After the locks: what another hub has settled by the same event is committed by then.
  const [where, parameters] = dialect.inCondition.values('event_id', eventIds);
  const sql = `SELECT event_id AS eventId, topup_id AS topupId FROM topups WHERE ${where}`;
  const events: { eventId: string; topupId: string }[] = await tx.query(sql, parameters);
  for (const { eventId, topupId } of events) unit.settledBy.set(eventId, topupId);
}
