import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KNOWN_ADDRESS_DAYS, KNOWN_ADDRESSES_MAX, KnownAddresses } from '../../src/auth/known.addresses.js';
import { WRONG_PASSWORDS_PER_ACCOUNT, WRONG_PASSWORDS_PER_SESSION } from '../../src/auth/login.throttle.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { range } from '../support/ways.js';

const HOME = '192.0.2.10';
const ELSEWHERE = '198.51.100.1';
const NEW = '203.0.113.1';
/** Passwords that are checked together within the answer timeout, on a slow machine. */
const AT_ONCE = 5;
const DAY_MS = 86_400_000;

describe('wrong passwords', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start({ rateLimits: true, trustProxy: true });
  });
  afterAll(() => hub.stop());

  /** Each hub counts its own names. */
  let names = 0;
  const newName = () => `guessed-${++names}`;

  const login = (userId: string, address: string, password = PASSWORD) =>
    new Person(hub, userId, '').post('/auth/login', { userId, password }, { 'x-forwarded-for': address });

  /** The statuses of this many wrong passwords. */
  async function guess(userId: string, addresses: string[]): Promise<number[]> {
    const statuses: number[] = [];
    for (let from = 0; from < addresses.length; from += AT_ONCE) {
      const attempts = addresses.slice(from, from + AT_ONCE).map((address) => login(userId, address, 'wrong password'));
      statuses.push(...(await Promise.all(attempts)).map(({ status }) => status));
    }
    return statuses;
  }

  const rowsOf = (userId: string) => hub.rows('SELECT * FROM known_addresses WHERE user_id = ?', [userId]);

  test('from elsewhere lock the owner out neither at home nor at a new address, also after a restart', async () => {
    const { userId } = await hub.person(newName());
    expect((await login(userId, HOME)).status).toBe(200);
    hub = await hub.restart();
    expect(
      (
        await guess(
          userId,
          range(25).map(() => ELSEWHERE),
        )
      ).at(-1),
    ).toBe(429);
    expect((await login(userId, ELSEWHERE)).status).toBe(429);
    expect((await login(userId, HOME)).status).toBe(200);
    expect((await login(userId, NEW)).status).toBe(200);
  });

  test('from many addresses are limited together, but not at an address that is known', async () => {
    const { userId } = await hub.person(newName());
    expect((await login(userId, HOME)).status).toBe(200);
    hub = await hub.restart();
    const addresses = range(2 * WRONG_PASSWORDS_PER_ACCOUNT.burst).map((index) => `198.51.100.${index}`);
    expect(await guess(userId, addresses)).toContain(429);
    await guess(userId, addresses.slice(0, AT_ONCE));
    expect((await login(userId, HOME)).status).toBe(200);
  });

  test('for an unknown user are answered like those for a user', async () => {
    const { userId } = await hub.person(newName());
    const addresses = range(22).map(() => ELSEWHERE);
    // The address has a limit of its own, which the tests before have used in part.
    hub = await hub.restart();
    expect(await guess('nobody', addresses)).toEqual(await guess(userId, addresses));
  });

  test('of a stolen session do not keep the owner from logging in or changing the password', async () => {
    const owner = await hub.register(newName());
    const thief = new Person(hub, owner.userId, owner.token);
    const { body } = await new Person(hub, owner.userId, '').post<{ token: string }>('/auth/login', {
      userId: owner.userId,
      password: PASSWORD,
    });
    owner.token = body.token;
    const statuses: number[] = [];
    for (const index of range(WRONG_PASSWORDS_PER_SESSION.burst + 2)) {
      const [path, field] = index % 2 === 0 ? ['/auth/password', 'oldPassword'] : ['/auth/unregister', 'password'];
      const request = { [field]: 'wrong password', ...(field === 'oldPassword' ? { newPassword: 'another one' } : {}) };
      statuses.push((await thief.post(path, request)).status);
    }
    expect(statuses.at(0)).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    expect((await login(owner.userId, NEW)).status).toBe(200);
    expect((await owner.post('/auth/password', { oldPassword: PASSWORD, newPassword: 'a new horse' })).status).toBe(
      204,
    );
  });

  test('are judged by addresses that the database does not reveal, of which the newest are kept', async () => {
    const { userId } = await hub.person(newName());
    const addresses = hub.hub.app.get(KnownAddresses);
    for (const index of range(KNOWN_ADDRESSES_MAX + 3)) {
      await hub.database.transaction((tx) => addresses.remember(tx, userId, `10.0.0.${index}`, Date.now() + index));
    }
    expect((await rowsOf(userId)).length).toBeLessThanOrEqual(KNOWN_ADDRESSES_MAX);
    expect(await addresses.includes(userId, `10.0.0.${KNOWN_ADDRESSES_MAX + 2}`)).toBe(true);
    expect(await addresses.includes(userId, '10.0.0.0')).toBe(false);
    expect(JSON.stringify(await rowsOf(userId))).not.toContain('10.0.0');
    await hub.database.transaction((tx) => addresses.prune(tx, Date.now() + (KNOWN_ADDRESS_DAYS + 1) * DAY_MS));
    expect(await rowsOf(userId)).toEqual([]);
  });

  test('find no address of a user who has left', async () => {
    const user = await hub.register(newName());
    expect(await rowsOf(user.userId)).toHaveLength(1);
    expect((await user.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect(await rowsOf(user.userId)).toEqual([]);
  });
});
