import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import {
  API_KEYS_PER_USER_MAX,
  type ApiKeyView,
  type CreatedKey,
  type CreateKeyRequest,
  type ListRequest,
} from '../contract/auth.js';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import { type AnyRight, rights } from '../contract/rights.js';
import { type Caller, missingRight, type Principal } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { toPage } from '../platform/database/pagination.js';
import { lockRows } from '../platform/database/row.lock.js';
import { Logger } from '../platform/observability/logger.js';
import { ApiKey } from './api.key.entity.js';
import { SessionsService } from './sessions.service.js';
import { hashToken, newKeySecret } from './tokens.js';

/** `lastUsedAt` is exact to the minute: it is not worth a write for each use. */
const USE_RECORDED_EVERY_MS = 60_000;

/** API keys: what programs authenticate with, each with some of its user's rights. */
@Injectable()
export class ApiKeysService {
  /** When this hub last recorded a use, by key. */
  private readonly recorded = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sessions: SessionsService,
    private readonly logger: Logger,
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
  ) {}

  /** The secret is in this answer only. Throws `FORBIDDEN` for a right that the caller lacks, `BAD_MESSAGE` above the limit. */
  async create(caller: Caller, request: CreateKeyRequest): Promise<CreatedKey> {
    const lacking = request.rights.find((right) => !caller.rights.has(right));
    if (lacking !== undefined) throw missingRight(lacking);
    const createdAt = this.clock.now();
    const shown = request.expiresAt === undefined ? null : Date.parse(request.expiresAt);
    if (shown !== null && shown <= createdAt) {
      throw HubError.badMessage([{ path: 'expiresAt', problem: 'must be in the future' }]);
    }
    const expiresAt = shown === null ? null : this.clock.toReal(shown);
    const secret = newKeySecret();
    const key = {
      ...{ keyId: uuidv7(), userId: caller.userId, name: request.name, secretHash: hashToken(secret) },
      ...{ rights: rights.filter((right) => request.rights.includes(right)).join(' ') },
      ...{ createdAt, expiresAt, lastUsedAt: null },
    };
    await this.database.transaction(async (tx) => {
      // One key at a time, so that the limit holds.
      await lockRows(tx, 'users', { user_id: caller.userId });
      const keys = tx.withRepository(this.keys);
      if ((await keys.countBy({ userId: caller.userId })) >= API_KEYS_PER_USER_MAX) {
        throw HubError.badMessage([{ path: '', problem: `would be more than ${API_KEYS_PER_USER_MAX} API keys` }]);
      }
      await keys.insert(key);
    });
    const { keyId, name } = key;
    return { keyId, secret, name, rights: rightsOf(key), createdAt: isoTime(createdAt), expiresAt: isoTime(shown) };
  }

  /** The user's keys, newest first. */
  async list(userId: string, { after, limit = PAGE_LIMIT_DEFAULT }: ListRequest): Promise<Page<ApiKeyView>> {
    const query = this.keys
      .createQueryBuilder('apiKey')
      .where('apiKey.userId = :userId', { userId })
      .orderBy('apiKey.keyId', 'DESC')
      .limit(limit + 1);
    if (after !== undefined) query.andWhere('apiKey.keyId < :after', { after });
    return toPage(
      await query.getMany(),
      limit,
      (key) => this.present(key),
      ({ keyId }) => keyId,
    );
  }

  /** Deletes a key. Its sockets end within a second on every hub. Throws `NOT_FOUND`. */
  async delete(userId: string, keyId: string): Promise<void> {
    const secretHash = await this.database.transaction(async (tx) => {
      const key = await tx.withRepository(this.keys).findOneBy({ userId, keyId });
      if (!key) throw new HubError('NOT_FOUND', undefined, { what: 'key' });
      const { affected } = await tx.withRepository(this.keys).delete({ keyId });
      if (affected === 1) await this.sessions.recordEnded(tx, userId, 'revoked', [key.secretHash]);
      return key.secretHash;
    });
    this.recorded.delete(keyId);
    this.sessions.disconnect(userId, 'revoked', ({ sessionId }) => sessionId === secretHash);
  }

  /** Deletes all keys of a user who unregisters. */
  async deleteAll(tx: Tx, userId: string): Promise<void> {
    const keys = await tx.withRepository(this.keys).findBy({ userId });
    await tx.withRepository(this.keys).delete({ userId });
    const hashes = keys.map(({ secretHash }) => secretHash);
    await this.sessions.recordEnded(tx, userId, 'unregistered', hashes);
  }

  /** The live key of the secret with this hash. */
  async findByHash(hash: string): Promise<Principal | undefined> {
    const key = await this.findLive(hash);
    if (!key) return undefined;
    await this.recordUse(key.keyId);
    return {
      userId: key.userId,
      kind: 'key',
      sessionId: key.secretHash,
      terminal: null,
      expiresAt: key.expiresAt ?? Number.POSITIVE_INFINITY,
      rights: new Set<AnyRight>(rightsOf(key)),
      onUse: () => void this.recordUse(key.keyId),
    };
  }

  async isLive(secretHash: string): Promise<boolean> {
    return (await this.findLive(secretHash)) !== null;
  }

  private async findLive(secretHash: string): Promise<ApiKey | null> {
    const key = await this.keys.findOneBy({ secretHash });
    return key && (key.expiresAt ?? Number.POSITIVE_INFINITY) > this.clock.realNow() ? key : null;
  }

  private present(key: ApiKey): ApiKeyView {
    const { keyId, name, createdAt, lastUsedAt } = key;
    const expiresAt = key.expiresAt === null ? null : this.clock.fromReal(key.expiresAt);
    const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt), lastUsedAt: isoTime(lastUsedAt) };
    return { keyId, name, rights: rightsOf(key), ...times };
  }

  /** Never rejects: a use that cannot be recorded is no reason to refuse it. */
  private async recordUse(keyId: string): Promise<void> {
    const now = this.clock.now();
    if (now - (this.recorded.get(keyId) ?? 0) < USE_RECORDED_EVERY_MS) return;
    this.recorded.set(keyId, now);
    try {
      await this.database.transaction((tx) => tx.withRepository(this.keys).update({ keyId }, { lastUsedAt: now }));
    } catch (error) {
      this.recorded.delete(keyId);
      this.logger.warn({ error: String(error) }, 'the use of an API key cannot be recorded now');
    }
  }
}

function rightsOf({ rights: text }: Pick<ApiKey, 'rights'>): (typeof rights)[number][] {
  return rights.filter((right) => text.split(' ').includes(right));
}
