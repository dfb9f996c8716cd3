import type { MigrationInterface } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { initial1700000000000 } from './0001-initial.js';
import { keeping1700000001000 } from './0002-keeping.js';
import { eventsByRoom1700000002000 } from './0003-events-by-room.js';
import { eventsAsTheyCome1700000003000 } from './0004-events-as-they-come.js';
import { databaseInfo1700000004000 } from './0005-database-info.js';
import { clocks1700000005000 } from './0006-clocks.js';
import { knownAddresses1700000006000 } from './0007-known-addresses.js';
import { rowVersions1700000007000 } from './0008-row-versions.js';
import { orderNumbers1700000008000 } from './0009-order-numbers.js';
import { apiKeys1700000009000 } from './0010-api-keys.js';
import { heldMoney1700000010000 } from './0011-held-money.js';
import { payments1700000011000 } from './0012-payments.js';
import { orderWords1700000012000 } from './0013-order-words.js';
import { webhooks1700000013000 } from './0014-webhooks.js';
import { storePolicy1700000014000 } from './0015-store-policy.js';
import { finding1700000015000 } from './0016-finding.js';
import { staff1700000016000 } from './0017-staff.js';
import { push1700000017000 } from './0018-push.js';

/** The number of the oldest hub that can work with the newest schema: of the newest migration that it knows. */
export const OLDEST_HUB = 16;

/** The number of a migration, by its name, whose time counts them in seconds. */
export function migrationNumber(name: string): number {
  return (Number(name.slice(-13)) - 1_700_000_000_000) / 1_000 + 1;
}

/**
 * All migrations, oldest first. TypeORM records their names in the database and runs pending ones. A published one never changes.
 * If hubs of the release before cannot work with a new one, `OLDEST_HUB` becomes its number.
 */
export function migrations(dialect: Dialect): (new () => MigrationInterface)[] {
  return [
    initial1700000000000(dialect),
    keeping1700000001000(),
    eventsByRoom1700000002000(),
    eventsAsTheyCome1700000003000(dialect),
    databaseInfo1700000004000(dialect),
    clocks1700000005000(dialect),
    knownAddresses1700000006000(dialect),
    rowVersions1700000007000(dialect),
    orderNumbers1700000008000(dialect),
    apiKeys1700000009000(dialect),
    heldMoney1700000010000(dialect),
    payments1700000011000(dialect),
    orderWords1700000012000(dialect),
    webhooks1700000013000(dialect),
    storePolicy1700000014000(dialect),
    finding1700000015000(dialect),
    staff1700000016000(dialect),
    push1700000017000(dialect),
  ];
}
