import type { Tx } from '../platform/database/database.js';
import type { Dialect } from '../platform/database/dialect.js';
import type { RowLocker } from './row.locker.js';
import type { HandledCommand } from './row.names.js';
import { distinctPairs, type MembershipRow, pair } from './rows.js';
import type { UnitOfWork } from './unit.of.work.js';

const columns = 'owner_id AS ownerId, user_id AS userId, membership_id AS membershipId';

/** Locks those by which commands act for a seller. Removing one waits for the batch, or the batch no longer finds it. */
export async function lockMemberships(
  { inCondition }: Dialect,
  locker: RowLocker,
  commands: readonly HandledCommand[],
  unit: UnitOfWork,
): Promise<void> {
  const acting = commands.flatMap(({ command: { actorId, acting } }): [string, string][] =>
    actorId === null || !acting ? [] : [[acting.ownerId, actorId]],
  );
  const rows = await locker.select<MembershipRow, readonly [string, string]>({
    table: 'staff_members',
    columns,
    values: distinctPairs(acting),
    where: (some) => inCondition.pairs(['owner_id', 'user_id'], some),
    keyOf: (both) => pair(...both),
    keyOfRow: ({ ownerId, userId }) => pair(ownerId, userId),
  });
  for (const row of rows) unit.addMembership(row, 'locked');
}

/** Reads which of these users are members of these sellers' staff. */
export async function loadMembers(
  tx: Tx,
  { inCondition }: Dialect,
  named: readonly (readonly [ownerId: string, userId: string])[],
  unit: UnitOfWork,
): Promise<void> {
  const distinct = distinctPairs(named).filter((both) => !unit.memberships.has(pair(...both)));
  if (distinct.length === 0) return;
  const [where, parameters] = inCondition.pairs(['owner_id', 'user_id'], distinct);
  const rows: MembershipRow[] = await tx.query(`SELECT ${columns} FROM staff_members WHERE ${where}`, parameters);
  for (const row of rows) unit.addMembership(row, 'read');
}
