import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getRepositoryToken } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { User } from '../../src/auth/user.entity.js';
import { OrderEntity } from '../../src/orders/order.entity.js';
import { Room } from '../../src/rooms/room.entity.js';
import { Store } from '../../src/stores/store.entity.js';
import { Wallet } from '../../src/wallets/wallet.entity.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

/** SQLite, MariaDB and MySQL. */
const READ_ONLY = /readonly database|READ ONLY transaction/;

describe('an injected repository', () => {
  let hub: TestHub;
  let owner: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.person();
  });
  afterAll(() => hub.stop());

  const repository = <Entity extends object>(entity: new () => Entity): Repository<Entity> =>
    hub.hub.app.get(getRepositoryToken(entity), { strict: false });

  test.each([User, Wallet, Store, OrderEntity, Room])('of %p reads what is committed', async (entity) => {
    expect(await repository<object>(entity).count()).toBe(await hub.database.writer.getRepository(entity).count());
  });

  test('refuses a stray save, update and delete outside of a transaction', async () => {
    const wallets = repository(Wallet);
    const stray = { userId: owner.userId, balance: 1_000_000, entries: 1 };
    await expect(wallets.save(stray)).rejects.toThrow(READ_ONLY);
    await expect(wallets.update({ userId: owner.userId }, { balance: 1 })).rejects.toThrow(READ_ONLY);
    await expect(wallets.delete({ userId: owner.userId })).rejects.toThrow(READ_ONLY);
    await expect(repository(Store).insert({ ...store, ownerId: owner.userId })).rejects.toThrow(READ_ONLY);
    expect(await wallets.findOneBy({ userId: owner.userId })).toMatchObject({ balance: 0, entries: 0 });
    expect((await owner.get('/wallet')).body).toEqual({ balance: 0, held: 0 });
    expect(await repository(Store).existsBy({ storeId: store.storeId })).toBe(false);
  });

  test('writes within a transaction, and what fails there is rolled back', async () => {
    const wallets = repository(Wallet);
    const rename = (name: string, fails: boolean) =>
      hub.database.transaction(async (tx) => {
        await tx.withRepository(wallets).insert({ userId: name, balance: 0, entries: 0 });
        if (fails) throw new Error('injected');
      });
    await rename('written', false);
    await expect(rename('rolled back', true)).rejects.toThrow('injected');
    expect(await wallets.existsBy({ userId: 'written' })).toBe(true);
    expect(await wallets.existsBy({ userId: 'rolled back' })).toBe(false);
  });
});

const store = { storeId: 'stray-store', name: null, createdAt: 1 };
