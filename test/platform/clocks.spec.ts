import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { clockShiftedBy } from '../support/clocks.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { LogBook } from '../support/log.book.js';
import { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { dataOf } from '../support/ways.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;
/** More than any answer takes on a loaded machine, and less than every shift. */
const NEAR_MS = 20 * SECOND_MS;
/** The contract's second, with a margin for a loaded machine. */
const DEAD_WITHIN_MS = 3_000;
const TTL_SECONDS = 4;

const isNear = (iso: string | null, epochMs: number) => Math.abs(Date.parse(iso ?? '') - epochMs) < NEAR_MS;

type AnyHub = Pick<HubProcess, 'url'>;

/** Another device of this person, at another hub. */
function at({ url }: AnyHub, { userId, token, storeId }: Person): Person {
  const other = new Person({ url } as TestHub, userId, token);
  other.storeId = storeId;
  return other;
}

/** Hubs whose machines' clocks differ, on a database server. With a file as the database, the machine's clock is the only one. */
describe('hubs whose clocks differ', () => {
  const log = new LogBook();
  let database: TestDatabase;
  let right: TestHub;
  let behind: HubProcess;
  let late: HubProcess;
  let ahead: HubProcess;
  let seller: Person;
  let buyer: Person;
  const processes: HubProcess[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    const start = async (shiftMs: number) => {
      const variables = { UNPAID_TTL_SECONDS: String(TTL_SECONDS), LOG_LEVEL: 'warn' };
      const hub = await HubProcess.start(database, { ...clockShiftedBy(shiftMs), ...variables });
      processes.push(hub);
      return hub;
    };
    right = await TestHub.start({ unpaidTtlSeconds: TTL_SECONDS, logLevel: 'warn' }, database, log);
    behind = await start(-2 * HOUR_MS);
    late = await start(-40 * SECOND_MS);
    ahead = await start(8 * DAY_MS);
    seller = await right.seller([{ stock: 1_000 }]);
    buyer = await right.buyer();
  }, 300_000);
  afterAll(async () => {
    for (const hub of processes) await hub.kill();
    await right.stop();
  });

  test('say so once, and are not ready', async () => {
    const ready = async (hub: AnyHub) => {
      const response = await fetch(`${hub.url}/health/ready`);
      return [response.status, ((await response.json()) as { clock?: string }).clock];
    };
    expect(await ready(right)).toEqual([200, undefined]);
    const answers = await Promise.all([behind, late, ahead].map(ready));
    expect(answers.map(([status]) => status)).toEqual([503, 503, 503]);
    expect(answers[0]?.[1]).toMatch(/^off by (7199|7200|7201) s$/);
    expect(answers[1]?.[1]).toMatch(/^off by (39|40|41) s$/);
    await sleep(3 * SECOND_MS);
    expect(log.written.join('')).not.toMatch(/clock/);
    for (const hub of [behind, late, ahead]) {
      expect(hub.complaints.match(/this machine's clock is off/g)).toHaveLength(1);
      expect((await fetch(`${hub.url}/health/live`)).status).toBe(200);
    }
  });

  test('place orders that neither expires before its time, and both within it', async () => {
    for (const hub of [behind, late, ahead]) {
      const device = await at(hub, buyer).connect();
      const order = await device.place(seller);
      expect(isNear(order.placedAt, Date.now())).toBe(true);
      expect(Date.parse(order.expiresAt) - Date.parse(order.placedAt)).toBe(TTL_SECONDS * SECOND_MS);
      const paidElsewhere = await device.place(seller);
      expect((await at(right, buyer).post(`/orders/${paidElsewhere.orderId}/pay`, {})).status).toBe(200);
      device.disconnect();
      const found = async () => (await at(right, buyer).get<Order>(`/orders/${order.orderId}`)).body;
      await until('the order has expired', async () => (await found()).status === 'cancelled');
      const { cancelledAt, cancelReason } = await found();
      expect(cancelReason).toBe('expired');
      const delayMs = Date.parse(cancelledAt ?? '') - Date.parse(order.expiresAt);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThan(2 * SECOND_MS);
    }
  }, 60_000);

  test('list orders in the order in which they were placed', async () => {
    const reader = await right.register('reader');
    const placed: string[] = [];
    for (const hub of [ahead, right, behind, late, ahead, behind, right]) {
      const device = await at(hub, reader).connect();
      placed.push((await device.place(seller)).orderId);
      device.disconnect();
    }
    const { body } = await reader.get<{ items: Order[] }>('/orders?role=buyer');
    expect(body.items.map(({ orderId }) => orderId)).toEqual(placed.toReversed());
  });

  test('give the same times, whichever is asked', async () => {
    for (const hub of [behind, late, ahead]) {
      const user = await hub.register(`user-at-${new URL(hub.url).port}`);
      const { body } = await at(right, user).get<{ expiresAt: string }>('/auth/session');
      expect(isNear(body.expiresAt, Date.now() + 7 * DAY_MS)).toBe(true);
      const device = await at(hub, user).connect();
      const { serverTime } = await new Promise<{ serverTime: string }>((resolve) => {
        const again = at(hub, user);
        void again.connect();
        again.socket?.once('room:ready', (ready) => {
          resolve(ready);
          again.disconnect();
        });
      });
      expect(isNear(serverTime, Date.now())).toBe(true);
      device.disconnect();
    }
  });

  test('keep the sessions of others, with their sockets', async () => {
    const devices = await Promise.all([right, behind, late, ahead].map((hub) => at(hub, buyer).connect()));
    await sleep(3 * SECOND_MS);
    for (const device of devices) {
      expect(dataOf(await device.send('order:list', { role: 'buyer', limit: 1 })).items).toHaveLength(1);
      device.disconnect();
    }
  });

  const endings: [string, (person: Person) => Promise<{ status: number }>][] = [
    ['logout', (person) => person.post('/auth/logout')],
    ['unregistered', (person) => person.post('/auth/unregister', { password: PASSWORD })],
    [
      'password',
      async (person) => {
        const { userId } = person;
        person.token = (await person.post<{ token: string }>('/auth/login', { userId, password: PASSWORD })).body.token;
        return person.post('/auth/password', { oldPassword: PASSWORD, newPassword: `${PASSWORD} again` });
      },
    ],
  ];
  test.each(endings)(
    'end a session everywhere within a second: %s',
    async (reason, end) => {
      const hubs = [right, behind, late, ahead];
      for (const [index, hub] of hubs.entries()) {
        const user = await right.register(`${reason}-${index}`);
        const others = hubs.filter((other) => other !== hub);
        const devices = await Promise.all(others.map((other) => at(other, user).connect()));
        expect((await end(at(hub, user))).status).toBe(204);
        const isDead = () => devices.every(({ socket }) => socket?.connected === false);
        await until(`the sockets at the other hubs are dead: ${index}`, isDead, DEAD_WITHIN_MS);
        expect(devices.map((device) => device.endings)).toEqual(others.map(() => [reason]));
      }
    },
    60_000,
  );
});
