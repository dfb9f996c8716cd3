import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CONFIG, type Config } from '../config.js';
import type { ListedSession, ListRequest } from '../contract/auth.js';
import { HubError } from '../contract/errors.js';
import { isoTime, PAGE_LIMIT_DEFAULT, type Page } from '../contract/fields.js';
import { type AnyRight, rights } from '../contract/rights.js';
import type { SessionEndedReason } from '../contract/rooms.js';
import type { Caller, Principal } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { readCursor, toPage } from '../platform/database/pagination.js';
import { SecurityLog } from '../platform/observability/security.log.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { EndedSession, Session } from './session.entity.js';
import { hashToken, newSessionToken } from './tokens.js';

const SESSION_RIGHTS = new Set<AnyRight>(rights);
/** Enough of the hash to tell sessions apart, and too little to be one. */
const ID_CHARACTERS = 32;

/** Sessions: random tokens, stored hashed, which expire or are ended. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sockets: SocketRegistry,
    private readonly security: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    @InjectRepository(EndedSession) private readonly endedSessions: Repository<EndedSession>,
  ) {}

  /** Opens a session, by default for `SESSION_TTL_SECONDS`. `expiresAt` is a time of the hub, in epoch milliseconds. */
  async open(
    tx: Tx,
    userId: string,
    terminal: string | null,
    ttlSeconds = this.config.sessionTtlSeconds,
  ): Promise<{ token: string; expiresAt: number }> {
    const token = newSessionToken();
    const createdAt = this.clock.now();
    const expiresAt = this.clock.toReal(createdAt) + ttlSeconds * 1_000;
    await tx
      .withRepository(this.sessions)
      .insert({ tokenHash: hashToken(token), userId, terminal, createdAt, expiresAt });
    return { token, expiresAt: this.clock.fromReal(expiresAt) };
  }

  /** The live session of the token with this hash. */
  async findByHash(hash: string): Promise<Principal | undefined> {
    const session = await this.findLive(hash);
    if (!session) return undefined;
    const { tokenHash, userId, terminal, expiresAt } = session;
    return { userId, kind: 'session', sessionId: tokenHash, terminal, expiresAt, rights: SESSION_RIGHTS };
  }

  async isLive(tokenHash: string): Promise<boolean> {
    return (await this.findLive(tokenHash)) !== null;
  }

  /** Why a session or key that is no longer live has ended. */
  async reasonOf({ sessionId }: Principal): Promise<SessionEndedReason> {
    const ended = await this.endedSessions.findOneBy({ tokenHash: sessionId });
    return ended?.reason ?? 'expired';
  }

  /** The user's live sessions, newest first. */
  async list(
    { userId, sessionId: current }: Caller,
    { after, limit = PAGE_LIMIT_DEFAULT }: ListRequest,
  ): Promise<Page<ListedSession>> {
    const query = this.sessions
      .createQueryBuilder('session')
      .where('session.userId = :userId AND session.expiresAt > :now', { userId, now: this.clock.realNow() })
      .orderBy('session.createdAt', 'DESC')
      .addOrderBy('session.tokenHash')
      .limit(limit + 1);
    if (after !== undefined) {
      const [createdAt, id] = readCursor(after, isCursor).split('_');
      const follows = 'session.createdAt = :createdAt AND SUBSTR(session.tokenHash, 1, :length) > :id';
      const place = { createdAt: Number(createdAt), id, length: ID_CHARACTERS };
      query.andWhere(`(session.createdAt < :createdAt OR (${follows}))`, place);
    }
    const present = (session: Session) => this.present(session, current);
    return toPage(await query.getMany(), limit, present, cursorOf);
  }

  /** Ends one of the user's sessions by the id in their list, like a logout. Throws `NOT_FOUND`. */
  async endById(caller: Caller, id: string): Promise<void> {
    const session = await this.sessions
      .createQueryBuilder('session')
      .where('session.userId = :userId AND SUBSTR(session.tokenHash, 1, :length) = :id')
      .setParameters({ userId: caller.userId, length: ID_CHARACTERS, id })
      .getOne();
    if (!session || session.expiresAt <= this.clock.realNow())
      throw new HubError('NOT_FOUND', undefined, { what: 'session' });
    await this.end({ userId: caller.userId, sessionId: session.tokenHash });
  }

  /** Ends one session. Its token is dead at once, and its sockets are disconnected. */
  async end({ userId, sessionId }: Pick<Principal, 'userId' | 'sessionId'>): Promise<void> {
    await this.database.transaction((tx) => this.revoke(tx, userId, 'logout', '=', sessionId), { userId });
    this.disconnect(userId, 'logout', (principal) => principal.sessionId === sessionId);
  }

  /** Ends every session of a user but one. `disconnect` follows once the transaction is committed. */
  async endAll(tx: Tx, userId: string, reason: SessionEndedReason, except = ''): Promise<void> {
    await this.revoke(tx, userId, reason, '<>', except);
  }

  /** Disconnects the user's sockets on this hub whose session or key has ended. */
  disconnect(userId: string, reason: SessionEndedReason, hasEnded: (principal: Principal) => boolean): void {
    this.security.record('sessions-ended', { user: userId, code: reason });
    this.sockets.endSessions(userId, reason, hasEnded);
  }

  /** Records tokens that have ended, for the other hubs to disconnect their sockets. */
  async recordEnded(tx: Tx, userId: string, reason: SessionEndedReason, tokenHashes: readonly string[]): Promise<void> {
    const at = this.clock.realNow();
    const rows = tokenHashes.map((tokenHash) => ({ tokenHash, userId, reason, at }));
    if (rows.length > 0) await tx.withRepository(this.endedSessions).insert(rows);
  }

  /** Moves sessions to `ended_sessions`, where the other hubs find those whose sockets they hold. */
  private async revoke(
    tx: Tx,
    userId: string,
    reason: SessionEndedReason,
    operator: '=' | '<>',
    tokenHash: string,
  ): Promise<void> {
    const where = `WHERE user_id = ? AND token_hash ${operator} ?`;
    await tx.query(
      `INSERT INTO ended_sessions (token_hash, user_id, reason, at) SELECT token_hash, user_id, ?, ? FROM sessions ${where}`,
      [reason, this.clock.realNow(), userId, tokenHash],
    );
    await tx.query(`DELETE FROM sessions ${where}`, [userId, tokenHash]);
  }

  private async findLive(tokenHash: string): Promise<Session | null> {
    // Plain SQL: building the query and its entity with TypeORM takes ten times as long, and every HTTP request reads its session.
    const [session]: Session[] = await this.sessions.query(
      'SELECT token_hash AS tokenHash, user_id AS userId, terminal, created_at AS createdAt, expires_at AS expiresAt FROM sessions WHERE token_hash = ?',
      [tokenHash],
    );
    return session && session.expiresAt > this.clock.realNow() ? session : null;
  }

  private present(session: Session, current: string): ListedSession {
    const { tokenHash, terminal, createdAt, expiresAt } = session;
    const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(this.clock.fromReal(expiresAt)) };
    return { sessionId: idOf(session), terminal, ...times, current: tokenHash === current };
  }
}

function idOf({ tokenHash }: Session): string {
  return tokenHash.slice(0, ID_CHARACTERS);
}

function cursorOf({ createdAt, sessionId }: ListedSession): string {
  return `${Date.parse(createdAt)}_${sessionId}`;
}

function isCursor(text: string): boolean {
  return /^\d{1,15}_[0-9a-f]{32}$/.test(text);
}
