import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { SessionEndedReason } from '../contract/rooms.js';
import type { SessionHolder } from '../platform/caller.js';
import { Connections } from '../platform/connections.js';
import { Database, type Tx } from '../platform/database.js';
import { SecurityLog } from '../platform/security.log.js';
import { EndedSession, Session } from './session.entity.js';

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Sessions: random tokens, stored hashed, dead at their time or when they are ended. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly connections: Connections,
    private readonly security: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async open(tx: Tx, userId: string, terminal: string | null): Promise<{ token: string; expiresAt: number }> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const createdAt = Date.now();
    const expiresAt = createdAt + this.config.sessionTtlSeconds * 1_000;
    await tx.insert(Session, { tokenHash: hashToken(token), userId, terminal, createdAt, expiresAt });
    return { token, expiresAt };
  }

  /** Who holds this token, or `UNAUTHENTICATED`. */
  async authenticate(token: string): Promise<SessionHolder> {
    const session = TOKEN.test(token) ? await this.find(hashToken(token)) : null;
    if (!session) throw new Refusal('UNAUTHENTICATED');
    const { tokenHash, userId, terminal, expiresAt } = session;
    return { userId, sessionId: tokenHash, terminal, expiresAt };
  }

  /** Why a session that was found valid is over, if it is by now: it may have ended while its socket was connecting. */
  async endingOf({ sessionId }: SessionHolder): Promise<SessionEndedReason | undefined> {
    if (await this.find(sessionId)) return undefined;
    const ended = await this.database.read.findOneBy(EndedSession, { tokenHash: sessionId });
    return ended?.reason ?? 'expired';
  }

  /** Ends one session. Its token is dead at once, and its sockets are cut. */
  async end(caller: SessionHolder): Promise<void> {
    await this.database.transaction((tx) => this.take(tx, caller.userId, 'logout', '=', caller.sessionId));
    this.security.tell('sessions-ended', { user: caller.userId, code: 'logout' });
    this.connections.endSessions(caller.userId, 'logout', ({ sessionId }) => sessionId === caller.sessionId);
  }

  /** Ends every session of a user, but for one. The sockets are cut by `cut`, when the transaction is through. */
  async endAll(tx: Tx, userId: string, reason: SessionEndedReason, except = ''): Promise<void> {
    await this.take(tx, userId, reason, '<>', except);
  }

  cut(userId: string, reason: SessionEndedReason, except?: string): void {
    this.security.tell('sessions-ended', { user: userId, code: reason });
    this.connections.endSessions(userId, reason, ({ sessionId }) => sessionId !== except);
  }

  /** Takes sessions away, and notes it for the hubs to which their sockets may be connected. */
  private async take(
    tx: Tx,
    userId: string,
    reason: SessionEndedReason,
    which: '=' | '<>',
    tokenHash: string,
  ): Promise<void> {
    const where = `WHERE user_id = ? AND token_hash ${which} ?`;
    await tx.query(
      `INSERT INTO ended_sessions (token_hash, user_id, reason, at) SELECT token_hash, user_id, ?, ? FROM sessions ${where}`,
      [reason, Date.now(), userId, tokenHash],
    );
    await tx.query(`DELETE FROM sessions ${where}`, [userId, tokenHash]);
  }

  private async find(tokenHash: string): Promise<Session | null> {
    const session = await this.database.read.findOneBy(Session, { tokenHash });
    return session && session.expiresAt > Date.now() ? session : null;
  }
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
