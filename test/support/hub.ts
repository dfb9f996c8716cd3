import { setTimeout as sleep } from 'node:timers/promises';
import type { DestinationStream } from 'pino';
import { hashPassword } from '../../src/auth/passwords.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { User } from '../../src/auth/user.entity.js';
import { type Config, readConfig } from '../../src/config.js';
import { createHub } from '../../src/hub.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { Database } from '../../src/platform/database/database.js';
import { Logger } from '../../src/platform/observability/logger.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { WalletsService } from '../../src/wallets/wallets.service.js';
import { Person } from './person.js';
import { createTestDatabase, type TestDatabase } from './test.database.js';

export const PASSWORD = 'correct horse battery';

/** A real hub on a real database, listening on a free port. */
export class TestHub {
  private static passwordHash: Promise<string> | undefined;
  private readonly people: Person[] = [];
  private counter = 0;

  private constructor(
    readonly url: string,
    readonly hub: Awaited<ReturnType<typeof createHub>>,
    private readonly own: TestDatabase,
    private readonly overrides: Partial<Config>,
  ) {}

  /** Starts a hub on a new database, or on one that an earlier hub left. Its log goes to `lines`, if given. */
  static async start(
    overrides: Partial<Config> = {},
    database?: TestDatabase,
    lines?: DestinationStream,
  ): Promise<TestHub> {
    const own = database ?? (await createTestDatabase());
    const config = {
      ...readConfig({ PORT: '0', LOG_LEVEL: 'fatal', RATE_LIMITS: 'off', DATABASE_URL: own.url }),
      ...overrides,
    };
    const hub = await createHub(config, new Logger(config, lines));
    return new TestHub(await hub.listen(), hub, own, overrides);
  }

  /** The time that the hub compares with, in epoch milliseconds: on a server the database's, not this process's. */
  now(): number {
    return this.hub.app.get(Clock).now();
  }

  /** Advances a sandbox's clock: what comes due is done, and its events are delivered. */
  async advance(seconds: number): Promise<void> {
    const { status } = await new Person(this, '', '').post('/sandbox/clock', { advanceMs: seconds * 1_000 });
    if (status !== 200) throw new Error(`The clock was not moved: ${status}`);
  }

  get database(): Database {
    return this.hub.app.get(Database);
  }

  /** Committed rows of the database. */
  rows<Row = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.database.read.query(sql, parameters);
  }

  /** A name unique to this hub. */
  name(prefix: string): string {
    return `${prefix}-${++this.counter}`;
  }

  /** A person registered and logged in over HTTP. */
  async register(userId = this.name('user')): Promise<Person> {
    const person = this.track(new Person(this, userId, ''));
    await person.post('/auth/register', { userId, password: PASSWORD });
    const { body } = await person.post<{ token: string }>('/auth/login', { userId, password: PASSWORD });
    person.token = body.token;
    return person;
  }

  /** A person registered and logged in by writing the rows, which saves the time of hashing a password. */
  async person(userId = this.name('user')): Promise<Person> {
    const { app } = this.hub;
    TestHub.passwordHash ??= hashPassword(PASSWORD);
    const passwordHash = await TestHub.passwordHash;
    const { token } = await this.database.transaction(async (tx) => {
      await tx.insert(User, { userId, passwordHash, createdAt: Date.now(), unregisteredAt: null });
      await app.get(WalletsService).open(tx, userId);
      await app.get(RoomsService).open(tx, userId);
      return app.get(SessionsService).open(tx, userId, null);
    });
    return this.track(new Person(this, userId, token));
  }

  /** A person with money. */
  async buyer(balance = 1_000_000, userId = this.name('buyer')): Promise<Person> {
    const buyer = await this.person(userId);
    if (balance > 0) await buyer.deposit(balance);
    return buyer;
  }

  /** A person with a store, by default of one book, `book-1`. */
  async seller(
    books: { bookId?: string; price?: number; stock?: number; title?: string }[] = [{}],
    userId = this.name('seller'),
  ): Promise<Person> {
    const seller = await this.person(userId);
    seller.storeId = `store-of-${userId}`;
    await seller.post('/stores', { storeId: seller.storeId });
    for (const [
      index,
      { bookId = `book-${index + 1}`, price = 1_000, stock = 10, title = `Book ${index + 1}` },
    ] of books.entries()) {
      const { status } = await seller.post(`/stores/${seller.storeId}/books`, { bookId, title, price, stock });
      if (status !== 201) throw new Error(`The book ${bookId} was not added: ${status}`);
    }
    return seller;
  }

  /** Stops the hub and returns its database for the next one. */
  async leave(): Promise<TestDatabase> {
    for (const person of this.people) person.disconnect();
    await this.hub.close();
    return this.own;
  }

  /** Stops the hub and starts another on the same database. People must reconnect, to the new URL. */
  async restart(overrides: Partial<Config> = {}): Promise<TestHub> {
    return TestHub.start({ ...this.overrides, ...overrides }, await this.leave());
  }

  async stop(): Promise<void> {
    const own = await this.leave();
    await own.drop();
  }

  private track(person: Person): Person {
    this.people.push(person);
    return person;
  }
}

/** Generous, because slow on a busy machine is not a failure. Mutation testing shortens it: what a mutant prevents never happens. */
const TIMEOUT_MS = Number(process.env.TIMEOUT_MS ?? 30_000);

/** Polls until a condition holds; throws with its description after the timeout. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = TIMEOUT_MS,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Timed out waiting until ${what}`);
    await sleep(10);
  }
}
