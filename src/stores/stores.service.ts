import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CommandQueue } from '../commands/command.queue.js';
import { HubError } from '../contract/errors.js';
import { PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type { ChangeStoreRequest } from '../contract/store.policy.js';
import type { OpenStoreRequest, StoresRequest, StoreView } from '../contract/stores.js';
import { accountOf, type Caller } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockMembership } from '../platform/database/membership.lock.js';
import { toPage } from '../platform/database/pagination.js';
import { Store } from './store.entity.js';
import { presentStore } from './store.presenter.js';

/** Stores, and who owns them. */
@Injectable()
export class StoresService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly commands: CommandQueue,
    @InjectRepository(Store) private readonly stores: Repository<Store>,
  ) {}

  async open(caller: Caller, { storeId, name }: OpenStoreRequest): Promise<StoreView> {
    const ownerId = accountOf(caller);
    const now = this.clock.now();
    const policy = { acceptWithinSeconds: 0, isOpen: 1, pausedUntil: null };
    const store = { storeId, name: name ?? null, ownerId, createdAt: now, ...policy };
    const onDuplicate = new HubError('STORE_EXISTS');
    const insert = async (tx: Tx) => {
      await lockMembership(tx, caller);
      await tx.withRepository(this.stores).insert(store);
    };
    await this.database.transaction(insert, { userId: caller.userId, onDuplicate });
    return presentStore(store, now);
  }

  async get(storeId: string): Promise<StoreView> {
    return presentStore(await this.find(storeId), this.clock.now());
  }

  /** A command like any other, so that orders placed meanwhile come before or after it. Its route takes no key. */
  async change(caller: Caller, request: ChangeStoreRequest): Promise<StoreView> {
    const answer = await this.commands.submit('store:change', caller.userId, request, caller);
    if (!answer.ok) throw HubError.fromBody(answer.error);
    return answer.data;
  }

  /** All stores, or those of one owner, by id. */
  async list({ owner, after, limit = PAGE_LIMIT_DEFAULT }: StoresRequest): Promise<Page<StoreView>> {
    const query = this.stores
      .createQueryBuilder('store')
      .orderBy('store.storeId')
      .limit(limit + 1);
    if (owner !== undefined) query.andWhere('store.ownerId = :owner', { owner });
    if (after !== undefined) query.andWhere('store.storeId > :after', { after });
    const now = this.clock.now();
    return toPage(
      await query.getMany(),
      limit,
      (store) => presentStore(store, now),
      ({ storeId }) => storeId,
    );
  }

  /** Throws `STORE_NOT_FOUND`, or `FORBIDDEN` unless the caller owns the store, or acts for who does. A store never changes hands. */
  async requireOwner(storeId: string, caller: Pick<Caller, 'userId' | 'acting'>): Promise<void> {
    const { ownerId } = await this.find(storeId);
    if (ownerId !== accountOf(caller)) throw new HubError('FORBIDDEN');
  }

  /** Throws `STORE_NOT_FOUND`. */
  async find(storeId: string): Promise<Store> {
    const store = await this.stores.findOneBy({ storeId });
    if (!store) throw new HubError('STORE_NOT_FOUND');
    return store;
  }
}
