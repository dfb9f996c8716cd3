import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import {
  type ChangeWebhookRequest,
  type CreatedWebhook,
  type CreateWebhookRequest,
  type RewindRequest,
  type Tested,
  WEBHOOKS_PER_USER_MAX,
  type WebhookRequest,
  type WebhooksRequest,
  type WebhookView,
} from '../contract/webhooks.js';
import { accountOf, type Caller, missingRight, requireSide } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockMembership } from '../platform/database/membership.lock.js';
import { toPage } from '../platform/database/pagination.js';
import { lockRows } from '../platform/database/row.lock.js';
import { HostResolver } from '../platform/http/host.resolver.js';
import { createOutsideLimiter } from '../platform/http/outside.limiter.js';
import { type WatchedWebhook, WebhookCursors } from './webhook.cursors.js';
import { WebhookDeliverer } from './webhook.deliverer.js';
import { Webhook } from './webhook.entity.js';
import { bodyOf } from './webhook.letters.js';
import { HEALTHY, type WebhookChange } from './webhook.rules.js';
import { WebhookSender } from './webhook.sender.js';
import { newSecret } from './webhook.signature.js';

/** Within the time for an answer of the hub's own. */
const TEST_TIMEOUT_MS = 3_500;
/** Users' webhooks: creating, changing and rewinding them. Whose they are: the caller's, or with `sessions` any user's. */
@Injectable()
export class WebhooksService {
  private readonly outside = createOutsideLimiter();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly cursors: WebhookCursors,
    private readonly deliverer: WebhookDeliverer,
    private readonly resolver: HostResolver,
    private readonly sender: WebhookSender,
    @InjectRepository(Webhook) private readonly webhooks: Repository<Webhook>,
  ) {}

  /** The secret is in this answer only. Throws `BAD_MESSAGE` above the limit and for a private address, `USER_NOT_FOUND`. */
  async create(caller: Caller, request: CreateWebhookRequest): Promise<CreatedWebhook> {
    const userId = ownerFor(caller, request.userId);
    requireSide(caller, request.role);
    requireManager(caller);
    await this.waitOutside(caller, () => this.resolver.check(request.url));
    const { url, role, secret = newSecret(), after } = request;
    const insert = async (tx: Tx) => {
      await lockMembership(tx, caller);
      await this.lockOwner(tx, userId);
      const webhooks = tx.withRepository(this.webhooks);
      if ((await webhooks.countBy({ userId })) >= WEBHOOKS_PER_USER_MAX) {
        throw HubError.badMessage([{ path: '', problem: `would be more than ${WEBHOOKS_PER_USER_MAX} webhooks` }]);
      }
      const head = await this.headOf(tx, { role, userId });
      const webhook = {
        ...{ webhookId: uuidv7(), userId, role, url, secret, createdAt: this.clock.now() },
        ...{ paused: 0, epoch: 0, lastStatus: null, holder: '', leasedUntil: 0 },
        ...HEALTHY,
        ...positionAfter(after ?? head, head),
      };
      await webhooks.insert(webhook);
      return { ...webhook, head };
    };
    const watched = await this.database.transaction(insert, { userId });
    this.deliverer.wake(watched);
    return { ...present(watched), secret };
  }

  /** Newest first. */
  async list(
    caller: Caller,
    { after, limit = PAGE_LIMIT_DEFAULT, userId }: WebhooksRequest,
  ): Promise<Page<WebhookView>> {
    const found = await this.cursors.ofUser(ownerFor(caller, userId), after, WEBHOOKS_PER_USER_MAX);
    const shown = found.filter((webhook) => isShown(caller, webhook)).slice(0, limit + 1);
    return toPage(shown, limit, present, ({ webhookId }) => webhookId);
  }

  /** Throws `NOT_FOUND`, `BAD_MESSAGE` for a private address. */
  async change(caller: Caller, { url, paused, ...which }: ChangeWebhookRequest): Promise<WebhookView> {
    await this.findToManage(caller, which);
    if (url !== undefined) await this.waitOutside(caller, () => this.resolver.check(url));
    return this.update(caller, which, () => ({
      ...(url === undefined && paused !== false ? {} : HEALTHY),
      ...(url === undefined ? {} : { url }),
      ...(paused === undefined ? {} : { paused: paused ? 1 : 0 }),
    }));
  }

  /** Throws `NOT_FOUND`. */
  rewind(caller: Caller, { after, ...which }: RewindRequest): Promise<WebhookView> {
    return this.update(caller, which, (head) => ({ ...positionAfter(after, head), nextAt: 0 }));
  }

  /** Sends a request without events, whatever else is under way. Throws `NOT_FOUND`. */
  async test(caller: Caller, which: WebhookRequest): Promise<Tested> {
    const webhook = await this.findToManage(caller, which);
    const { webhookId, role, userId, head } = webhook;
    const body = bodyOf({ role, userId, events: [], head, complete: true });
    const message = { id: `${webhookId}.test`, body, timeoutMs: TEST_TIMEOUT_MS };
    return { status: await this.waitOutside(caller, () => this.sender.send(webhook, message)) };
  }

  /** Throws `NOT_FOUND`. */
  async delete(caller: Caller, which: WebhookRequest): Promise<void> {
    const { webhookId, userId } = await this.findToManage(caller, which);
    const remove = async (tx: Tx) => {
      await lockMembership(tx, caller);
      return tx.withRepository(this.webhooks).delete({ webhookId });
    };
    const { affected } = await this.database.transaction(remove, { userId });
    if (affected !== 1) throw notFound();
  }

  /** Deletes all webhooks of a user who unregisters. */
  async deleteAll(tx: Tx, userId: string): Promise<void> {
    await tx.withRepository(this.webhooks).delete({ userId });
  }

  /** Changes a webhook, so that what is under way moves it no more. */
  private async update(
    caller: Caller,
    which: WebhookRequest,
    changeOf: (head: number) => WebhookChange,
  ): Promise<WebhookView> {
    const { webhookId, role, userId } = await this.findToManage(caller, which);
    const change = async (tx: Tx) => {
      await lockMembership(tx, caller);
      const webhooks = tx.withRepository(this.webhooks);
      const head = await this.headOf(tx, { role, userId });
      const changed = { ...changeOf(head), epoch: () => 'epoch + 1' };
      await webhooks.createQueryBuilder().update().set(changed).where({ webhookId }).execute();
      const webhook = await webhooks.findOneBy({ webhookId });
      if (!webhook) throw notFound();
      return { ...webhook, head };
    };
    const watched = await this.database.transaction(change, { userId });
    this.deliverer.wake(watched);
    return present(watched);
  }

  private findToManage(caller: Caller, which: WebhookRequest): Promise<WatchedWebhook> {
    requireManager(caller);
    return this.find(caller, which);
  }

  private async find(caller: Caller, { webhookId, userId }: WebhookRequest): Promise<WatchedWebhook> {
    const isOperator = userId === undefined && caller.rights.has('sessions');
    const owner = isOperator ? undefined : ownerFor(caller, userId);
    const [webhook] = await this.cursors.find([webhookId]);
    if (!webhook || (owner !== undefined && webhook.userId !== owner) || !isShown(caller, webhook)) throw notFound();
    return webhook;
  }

  /** One webhook of a user at a time, so that the limit holds, and none of a user who unregisters meanwhile. */
  private async lockOwner(tx: Tx, userId: string): Promise<void> {
    await lockRows(tx, 'users', { user_id: userId });
    const sql = 'SELECT user_id FROM users WHERE user_id = ? AND unregistered_at IS NULL';
    const users: unknown[] = await tx.query(sql, [userId]);
    if (users.length === 0) throw new HubError('USER_NOT_FOUND', 'There is no such user.');
  }

  private async headOf(tx: Tx, { role, userId }: Pick<Webhook, 'role' | 'userId'>): Promise<number> {
    const sql = 'SELECT head FROM rooms WHERE role = ? AND user_id = ?';
    const [room]: { head: number }[] = await tx.query(sql, [role, userId]);
    return Number(room?.head ?? 0);
  }

  private waitOutside<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    return this.outside.run(work, { key: caller.userId, isConnected: caller.isConnected });
  }
}

/** Whose webhooks: throws `FORBIDDEN`, with the missing right. */
function ownerFor(caller: Caller, named: string | undefined): string {
  const { rights } = caller;
  if (named !== undefined && !rights.has('sessions')) throw missingRight('sessions');
  // The operator's key has no events of its own.
  if (named === undefined && !rights.has('read')) throw missingRight('read');
  return named ?? accountOf(caller);
}

/** A webhook outlives the membership of who made it: of a seller's staff, only who may change the staff may change webhooks. */
function requireManager({ acting, rights }: Caller): void {
  if (acting && !rights.has('staff')) throw missingRight('staff');
}

/** What the seller buys is not for the staff. */
function isShown({ acting }: Caller, { role }: Pick<Webhook, 'role'>): boolean {
  return !acting || role === 'seller';
}

/** As for a socket: a number beyond the head is answered by what comes, and the word that something is missing. */
function positionAfter(after: number, head: number): Pick<Webhook, 'delivered' | 'complete'> {
  return { delivered: Math.min(after, head), complete: after > head ? 0 : 1 };
}

function notFound(): HubError {
  return new HubError('NOT_FOUND', undefined, { what: 'webhook' });
}

function present(webhook: WatchedWebhook): WebhookView {
  const { webhookId, url, role, paused, createdAt, delivered, head, failingSince, lastStatus } = webhook;
  return {
    ...{ webhookId, url, role, paused: paused === 1, createdAt: isoTime(createdAt) },
    ...{ delivered, head: Math.max(head, delivered), failingSince: isoTime(failingSince), lastStatus },
  };
}
