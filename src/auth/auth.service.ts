import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { LoggedIn, LoginRequest, PasswordRequest, RegisterRequest } from '../contract/auth.js';
import { Refusal } from '../contract/errors.js';
import { isoTime } from '../contract/fields.js';
import { HUB } from '../contract/lifecycle.js';
import type { Caller, Sender } from '../platform/caller.js';
import { Database, type Tx } from '../platform/database.js';
import { LoginLimits } from './login.limits.js';
import { hashPassword, isPassword } from './passwords.js';
import { SessionsService } from './sessions.service.js';
import { User } from './user.entity.js';

/** Users and their passwords. */
@Injectable()
export class AuthService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly limits: LoginLimits,
  ) {}

  /** Adds a user; `join` adds what other features keep of one, in the same transaction. */
  async register(
    { userId, password }: RegisterRequest,
    sender: Sender,
    join: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    // Events name the hub itself by this word, so nobody else may bear it.
    if (userId === HUB) throw new Refusal('USER_EXISTS');
    if (await this.database.read.existsBy(User, { userId })) throw new Refusal('USER_EXISTS');
    const passwordHash = await hashPassword(password, sender.isThere);
    const insert = async (tx: Tx) => {
      await tx.insert(User, { userId, passwordHash, createdAt: Date.now(), unregisteredAt: null });
      await join(tx);
    };
    await this.database.transaction(insert, { taken: new Refusal('USER_EXISTS') });
  }

  async login({ userId, password, terminal }: LoginRequest, sender: Sender): Promise<LoggedIn> {
    const user = await this.check(userId, password, sender);
    const { token, expiresAt } = await this.database.transaction(async (tx) => {
      await this.lockUnchanged(tx, user);
      return this.sessions.open(tx, userId, terminal ?? null);
    });
    return { token, expiresAt: isoTime(expiresAt), userId };
  }

  /** Changes the password; every other session of the user ends. */
  async changePassword(caller: Caller, { oldPassword, newPassword }: PasswordRequest): Promise<void> {
    const user = await this.check(caller.userId, oldPassword, caller);
    const passwordHash = await hashPassword(newPassword, caller.isThere);
    await this.database.transaction(async (tx) => {
      await this.lockUnchanged(tx, user);
      await tx.update(User, { userId: user.userId }, { passwordHash });
      await this.sessions.endAll(tx, user.userId, 'password', caller.sessionId);
    });
    this.sessions.cut(user.userId, 'password', caller.sessionId);
  }

  /** Takes a user away for good; `leave` refuses, or does what other features must, in the same transaction. */
  async unregister(caller: Caller, password: string, leave: (tx: Tx) => Promise<void>): Promise<void> {
    const user = await this.check(caller.userId, password, caller);
    await this.database.transaction(async (tx) => {
      await leave(tx);
      await this.lockUnchanged(tx, user);
      await tx.update(User, { userId: user.userId }, { unregisteredAt: Date.now() });
      await this.sessions.endAll(tx, user.userId, 'unregistered');
    });
    this.sessions.cut(user.userId, 'unregistered');
  }

  private async check(userId: string, password: string, { address, isThere }: Sender): Promise<User> {
    return this.limits.attempt(userId, address, async () => {
      const user = await this.find(userId);
      const matches = await isPassword(user?.passwordHash, password, isThere);
      if (!user || !matches) throw new Refusal('UNAUTHENTICATED');
      return user;
    });
  }

  private find(userId: string): Promise<User | null> {
    return this.database.read.findOneBy(User, { userId, unregisteredAt: IsNull() });
  }

  /** The password was checked outside of the transaction: it must still be the one, or the check was of the past. */
  private async lockUnchanged(tx: Tx, user: User): Promise<void> {
    const sql = `SELECT password_hash AS passwordHash, unregistered_at AS unregisteredAt FROM users WHERE user_id = ?`;
    const [row]: Pick<User, 'passwordHash' | 'unregisteredAt'>[] = await tx.query(
      sql + this.database.dialect.forUpdate,
      [user.userId],
    );
    if (row?.passwordHash !== user.passwordHash || row.unregisteredAt !== null) throw new Refusal('UNAUTHENTICATED');
  }
}
