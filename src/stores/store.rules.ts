import type { Decision } from '../commands/command.handler.js';
import { accountOf, type Command } from '../commands/command.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';

/** The owner renames the store, or says whether and how it takes orders. */
export function changeStore(unit: UnitOfWork, command: Command<'store:change'>): Decision {
  const { storeId, name, acceptWithinSeconds, open, pausedUntil } = command.request;
  const store = unit.changedStores.get(storeId);
  if (!store) return new HubError('STORE_NOT_FOUND');
  if (store.ownerId !== accountOf(command)) return new HubError('FORBIDDEN');
  // Only what the hub holds can be given back whatever the seller has withdrawn.
  if (acceptWithinSeconds && unit.policy.settleAt === 'paid') {
    return HubError.badMessage([{ path: 'acceptWithinSeconds', problem: 'needs SETTLE_AT=received' }]);
  }
  const after = {
    ...store,
    name: name ?? store.name,
    acceptWithinSeconds: acceptWithinSeconds ?? store.acceptWithinSeconds,
    isOpen: open === undefined ? store.isOpen : Number(open),
    pausedUntil:
      typeof pausedUntil === 'string' ? Date.parse(pausedUntil) : pausedUntil === null ? null : store.pausedUntil,
    version: store.version + 1,
  };
  return { store: { after, isTold: open !== undefined || pausedUntil !== undefined } };
}
