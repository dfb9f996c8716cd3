import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { CONFIG, type Config } from '../config.js';
import {
  type LoggedIn,
  type LoginRequest,
  newUser,
  type OpenSessionRequest,
  type PasswordRequest,
  type RegisterRequest,
} from '../contract/auth.js';
import { HubError } from '../contract/errors.js';
import { isoTime } from '../contract/fields.js';
import { parse } from '../contract/parse.js';
import { HUB } from '../contract/transitions.js';
import type { Caller, ClientInfo, Principal } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockRows } from '../platform/database/row.lock.js';
import { ApiKeysService } from './api.keys.service.js';
import { KnownAddresses } from './known.addresses.js';
import { LoginThrottle } from './login.throttle.js';
import { hashPassword, isPassword, NO_PASSWORD } from './passwords.js';
import { SessionsService } from './sessions.service.js';
import { User } from './user.entity.js';

/** Users and their passwords. */
@Injectable()
export class AuthService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sessions: SessionsService,
    private readonly keys: ApiKeysService,
    private readonly throttle: LoginThrottle,
    @Inject(CONFIG) private readonly config: Config,
    private readonly addresses: KnownAddresses,
    @InjectRepository(User) private readonly users: Repository<User>,
  ) {}

  /** Adds a user. `join` adds, in the same transaction, what other features keep of a user. Throws `USER_EXISTS`. */
  async register(
    { userId, password }: RegisterRequest,
    client: ClientInfo,
    join: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    // Events name the hub itself by this id.
    if (userId === HUB) throw new HubError('USER_EXISTS');
    if (await this.users.existsBy({ userId })) throw new HubError('USER_EXISTS');
    const passwordHash = await hashPassword(password, client.isConnected);
    const register = async (tx: Tx) => {
      await this.insert(tx, userId, passwordHash);
      await join(tx);
      await this.addresses.remember(tx, userId, client.address);
    };
    await this.database.transaction(register, { userId, onDuplicate: new HubError('USER_EXISTS') });
  }

  /**
   * Signs a user in for the shop's backend, and adds the user at the first call, without a password. Throws `USER_EXISTS` for
   * the id of an unregistered user, `BAD_MESSAGE` for a session longer than `SESSION_TTL_SECONDS`.
   */
  async openSession(request: OpenSessionRequest, join: (tx: Tx) => Promise<void>): Promise<LoggedIn> {
    const { userId, terminal = null, ttlSeconds } = request;
    const { sessionTtlSeconds } = this.config;
    if (ttlSeconds !== undefined && ttlSeconds > sessionTtlSeconds) {
      throw HubError.badMessage([{ path: 'ttlSeconds', problem: `must be at most ${sessionTtlSeconds}` }]);
    }
    if (userId === HUB) throw new HubError('USER_EXISTS');
    const open = async (tx: Tx) => {
      if (!(await tx.withRepository(this.users).existsBy({ userId }))) {
        parse(newUser, { userId });
        await this.insert(tx, userId, NO_PASSWORD);
        await join(tx);
      }
      await lockRows(tx, 'users', { user_id: userId });
      const user = await tx.withRepository(this.users).findOneBy({ userId });
      if (user?.unregisteredAt !== null) throw new HubError('USER_EXISTS');
      return this.sessions.open(tx, userId, terminal, ttlSeconds);
    };
    // Of many first calls at once, one adds the user, and the others find it when they are run again.
    const retry = (error: unknown) => this.database.dialect.isDuplicate(error);
    const { token, expiresAt } = await this.database.transaction(open, { userId, retry });
    return { token, expiresAt: isoTime(expiresAt), userId };
  }

  async login({ userId, password, terminal }: LoginRequest, client: ClientInfo): Promise<LoggedIn> {
    const user = await this.throttle.login(userId, client.address, () => this.verify(userId, password, client));
    const open = async (tx: Tx) => {
      await this.lockUnchanged(tx, user);
      await this.addresses.remember(tx, userId, client.address);
      return this.sessions.open(tx, userId, terminal ?? null);
    };
    const { token, expiresAt } = await this.database.transaction(open, { userId });
    return { token, expiresAt: isoTime(expiresAt), userId };
  }

  /** Changes the password and ends every other session of the user. */
  async changePassword(caller: Caller, { oldPassword, newPassword }: PasswordRequest): Promise<void> {
    const user = await this.verifyAgain(caller, oldPassword);
    const passwordHash = await hashPassword(newPassword, caller.isConnected);
    const change = async (tx: Tx) => {
      await this.lockUnchanged(tx, user);
      await tx.withRepository(this.users).update({ userId: user.userId }, { passwordHash });
      await this.sessions.endAll(tx, user.userId, 'password', caller.sessionId);
    };
    const { userId } = user;
    await this.database.transaction(change, { userId });
    const hasEnded = ({ kind, sessionId }: Principal) => kind === 'session' && sessionId !== caller.sessionId;
    this.sessions.disconnect(userId, 'password', hasEnded);
  }

  /** Removes a user for good. `leave` throws, or does in the same transaction what other features must do. */
  async unregister(caller: Caller, password: string, leave: (tx: Tx) => Promise<void>): Promise<void> {
    const user = await this.verifyAgain(caller, password);
    const remove = async (tx: Tx) => {
      await leave(tx);
      await this.lockUnchanged(tx, user);
      await tx.withRepository(this.users).update({ userId: user.userId }, { unregisteredAt: this.clock.now() });
      await this.sessions.endAll(tx, user.userId, 'unregistered');
      await this.addresses.forget(tx, user.userId);
      await this.keys.deleteAll(tx, user.userId);
    };
    await this.database.transaction(remove, { userId: user.userId });
    this.sessions.disconnect(user.userId, 'unregistered', () => true);
  }

  /** Throws `UNAUTHENTICATED` unless the password is the caller's; a user who has none need not give one. */
  async confirm(caller: Caller, password: string | undefined): Promise<void> {
    if (password !== undefined) await this.verifyAgain(caller, password);
    else {
      const user = await this.users.findOneBy({ userId: caller.userId });
      if (user?.passwordHash !== NO_PASSWORD) throw new HubError('UNAUTHENTICATED');
    }
  }

  /** Whether there is or was such a user. */
  exists(userId: string): Promise<boolean> {
    return this.users.existsBy({ userId });
  }

  /** What is kept of the user here, but the password. */
  async profile(userId: string): Promise<object> {
    const { passwordHash, createdAt } = await this.users.findOneByOrFail({ userId });
    const knownAddresses = await this.addresses.list(userId);
    return { userId, createdAt: isoTime(createdAt), hasPassword: passwordHash !== NO_PASSWORD, knownAddresses };
  }

  private async insert(tx: Tx, userId: string, passwordHash: string): Promise<void> {
    const user = { userId, passwordHash, createdAt: this.clock.now(), unregisteredAt: null };
    await tx.withRepository(this.users).insert(user);
  }

  /** The user, if the password is right. An unknown user takes as long to refuse as a wrong password. */
  private async verify(userId: string, password: string, { isConnected }: ClientInfo): Promise<User> {
    const user = await this.users.findOneBy({ userId, unregisteredAt: IsNull() });
    const matches = await isPassword(user?.passwordHash, password, isConnected);
    if (!user || !matches) throw new HubError('UNAUTHENTICATED');
    return user;
  }

  private verifyAgain(caller: Caller, password: string): Promise<User> {
    return this.throttle.confirm(caller.sessionId, () => this.verify(caller.userId, password, caller));
  }

  /** The password was verified outside of the transaction. It must not have changed since. */
  private async lockUnchanged(tx: Tx, user: User): Promise<void> {
    await lockRows(tx, 'users', { user_id: user.userId });
    const row = await tx.withRepository(this.users).findOneBy({ userId: user.userId });
    if (row?.passwordHash !== user.passwordHash || row.unregisteredAt !== null) throw new HubError('UNAUTHENTICATED');
  }
}
