import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { HubError } from '../contract/errors.js';
import { isoTime, type Page } from '../contract/fields.js';
import {
  type PushKey,
  type PushSubscriptionJson,
  SUBSCRIPTIONS_PER_USER_MAX,
  type Subscribed,
  type SubscribeRequest,
  type SubscriptionRequest,
} from '../contract/push.js';
import { type Role, roles } from '../contract/transitions.js';
import type { Caller } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockRows } from '../platform/database/row.lock.js';
import { HostResolver } from '../platform/http/host.resolver.js';
import { createOutsideLimiter } from '../platform/http/outside.limiter.js';
import { isPoint } from '../platform/http/p256.js';
import { deleteSubscription } from './push.notices.js';
import { PushPresenceRecorder } from './push.presence.js';
import { PushCursor, PushSubscription } from './push.subscription.entity.js';
import { VapidKeys } from './vapid.keys.js';

/** A subscription as its user's export has it: without the keys, with which anybody could write to the browser. */
export interface SubscriptionView {
  subscriptionId: string;
  endpoint: string;
  createdAt: string;
}

/** The browsers on which users want push messages. */
@Injectable()
export class PushService {
  private readonly outside = createOutsideLimiter();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: VapidKeys,
    private readonly resolver: HostResolver,
    private readonly presence: PushPresenceRecorder,
    @InjectRepository(PushSubscription) private readonly subscriptions: Repository<PushSubscription>,
    @InjectRepository(PushCursor) private readonly cursors: Repository<PushCursor>,
  ) {}

  async key(): Promise<PushKey> {
    return { key: await this.keys.publicKey() };
  }

  /** Throws `BAD_MESSAGE` above the limit, and for a private address or a key that is none. */
  async subscribe(caller: Caller, { subscription }: SubscribeRequest): Promise<Subscribed> {
    const { userId } = caller;
    if (!isPoint(subscription.keys.p256dh)) {
      const problem = 'must be the base64url of a point of P-256, 65 bytes';
      throw HubError.badMessage([{ path: 'subscription.keys.p256dh', problem }]);
    }
    const check = () => this.resolver.check(subscription.endpoint, 'subscription.endpoint');
    await this.outside.run(check, { key: userId, isConnected: caller.isConnected });
    const subscriptionId = await this.database.transaction((tx) => this.store(tx, userId, subscription), {
      userId,
      retry: (error) => this.database.dialect.isDuplicate(error),
    });
    this.presence.add(userId);
    return { subscriptionId };
  }

  /** Throws `NOT_FOUND`. */
  async unsubscribe({ userId }: Caller, { subscriptionId }: SubscriptionRequest): Promise<void> {
    const remove = async (tx: Tx) => {
      const found = await tx.withRepository(this.subscriptions).findOneBy({ subscriptionId, userId });
      if (!found) throw new HubError('NOT_FOUND', undefined, { what: 'subscription' });
      await deleteSubscription(tx, subscriptionId);
    };
    await this.database.transaction(remove, { userId });
  }

  /** All of them, oldest first: they are few. */
  async list(userId: string): Promise<Page<SubscriptionView>> {
    const found = await this.subscriptions.find({ where: { userId }, order: { subscriptionId: 'ASC' } });
    const items = found.map(({ subscriptionId, endpoint, createdAt }) => {
      return { subscriptionId, endpoint, createdAt: isoTime(createdAt) };
    });
    return { items, next: null };
  }

  /** Deletes all that is kept for a user who unregisters. */
  async deleteAll(tx: Tx, userId: string): Promise<void> {
    const found = await tx.withRepository(this.subscriptions).findBy({ userId });
    for (const { subscriptionId } of found) await deleteSubscription(tx, subscriptionId);
    for (const table of ['push_cursors', 'push_presence']) {
      await tx.query(`DELETE FROM ${table} WHERE user_id = ?`, [userId]);
    }
  }

  private async store(tx: Tx, userId: string, { endpoint, keys }: PushSubscriptionJson): Promise<string> {
    // One at a time, so that the limit holds.
    await lockRows(tx, 'users', { user_id: userId });
    const subscriptions = tx.withRepository(this.subscriptions);
    const endpointHash = createHash('sha256').update(endpoint).digest('hex');
    const subscribedAt = this.clock.now();
    const known = await subscriptions.findOneBy({ endpointHash });
    if (known?.userId !== userId && (await subscriptions.countBy({ userId })) >= SUBSCRIPTIONS_PER_USER_MAX) {
      throw HubError.badMessage([
        { path: '', problem: `would be more than ${SUBSCRIPTIONS_PER_USER_MAX} push subscriptions` },
      ]);
    }
    const row = { userId, endpoint, endpointHash, p256dh: unpadded(keys.p256dh), auth: unpadded(keys.auth) };
    if (known) {
      const { subscriptionId } = known;
      // The browser has another user now, who must not hear of the last one's orders.
      if (known.userId !== userId) {
        await tx.query('DELETE FROM push_notices WHERE subscription_id = ?', [subscriptionId]);
        await subscriptions.update({ subscriptionId }, { ...row, subscribedAt });
      } else await subscriptions.update({ subscriptionId }, row);
      await this.openCursors(tx, userId);
      return subscriptionId;
    }
    const subscriptionId = uuidv7();
    await subscriptions.insert({ ...row, subscriptionId, createdAt: subscribedAt, subscribedAt });
    await this.openCursors(tx, userId);
    return subscriptionId;
  }

  /** From the heads on: what happens from now on is news. */
  private async openCursors(tx: Tx, userId: string): Promise<void> {
    for (const role of roles) await this.openCursor(tx, role, userId);
    const sql = 'SELECT owner_id AS ownerId FROM staff_members WHERE user_id = ?';
    const sellers: { ownerId: string }[] = await tx.query(sql, [userId]);
    for (const { ownerId } of sellers) await this.openCursor(tx, 'seller', ownerId);
  }

  private async openCursor(tx: Tx, role: Role, userId: string): Promise<void> {
    const cursors = tx.withRepository(this.cursors);
    if (await cursors.existsBy({ role, userId })) return;
    const sql = 'SELECT head FROM rooms WHERE role = ? AND user_id = ?';
    const [room]: { head: number }[] = await tx.query(sql, [role, userId]);
    await cursors.insert({ role, userId, position: Number(room?.head ?? 0) });
  }
}

function unpadded(base64url: string): string {
  return base64url.replace(/={1,2}$/, '');
}
