import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import type { OpenStoreRequest, StoresRequest, StoreView } from '../contract/stores.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { toPage } from '../platform/database/pagination.js';
import { Store } from './store.entity.js';

/** Stores, and who owns them. */
@Injectable()
export class StoresService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectRepository(Store) private readonly stores: Repository<Store>,
  ) {}

  async open(ownerId: string, { storeId, name }: OpenStoreRequest): Promise<StoreView> {
    const store = { storeId, name: name ?? null, ownerId, createdAt: this.clock.now() };
    const onDuplicate = new HubError('STORE_EXISTS');
    await this.database.transaction((tx) => tx.withRepository(this.stores).insert(store), {
      userId: ownerId,
      onDuplicate,
    });
    return presentStore(store);
  }

  async get(storeId: string): Promise<StoreView> {
    return presentStore(await this.find(storeId));
  }

  /** All stores, or those of one owner, by id. */
  async list({ owner, after, limit = PAGE_LIMIT_DEFAULT }: StoresRequest): Promise<Page<StoreView>> {
    const query = this.stores
      .createQueryBuilder('store')
      .orderBy('store.storeId')
      .limit(limit + 1);
    if (owner !== undefined) query.andWhere('store.ownerId = :owner', { owner });
    if (after !== undefined) query.andWhere('store.storeId > :after', { after });
    return toPage(await query.getMany(), limit, presentStore, ({ storeId }) => storeId);
  }

  /** Throws `STORE_NOT_FOUND`, or `FORBIDDEN` unless this user owns the store. A store never changes hands. */
  async requireOwner(storeId: string, userId: string): Promise<void> {
    const { ownerId } = await this.find(storeId);
    if (ownerId !== userId) throw new HubError('FORBIDDEN');
  }

  /** Throws `STORE_NOT_FOUND`. */
  async find(storeId: string): Promise<Store> {
    const store = await this.stores.findOneBy({ storeId });
    if (!store) throw new HubError('STORE_NOT_FOUND');
    return store;
  }
}

function presentStore({ storeId, name, ownerId, createdAt }: Omit<Store, 'owner'>): StoreView {
  return { storeId, name, ownerId, createdAt: isoTime(createdAt) };
}
