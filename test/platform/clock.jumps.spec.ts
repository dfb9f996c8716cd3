import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Clock } from '../../src/platform/clock/clock.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const EIGHT_DAYS_MS = 8 * 24 * HOUR_MS;
/** More than the rounding and the delay of a loaded machine, and less than every jump here. */
const NEAR_MS = 3 * SECOND_MS;

const realNow = Date.now;
/** Moves this machine's clock, as the hub in this process sees it. */
const moveMachine = (byMs: number) => {
  Date.now = () => realNow() + byMs;
};

interface Pool {
  on(name: 'acquire', listener: (connection: { query(sql: string): void }) => void): void;
}

describe('the clock of a running hub', () => {
  const log = new LogBook();
  let hub: TestHub;
  let clock: Clock;
  let person: Person;
  let serverIsAheadMs = 0;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'info' }, undefined, log);
    clock = hub.hub.app.get(Clock);
    if (!hub.database.dialect.singleWriter) {
      const { pool } = hub.database.reader.driver as unknown as { pool: Pool };
      // The server tells this connection another time, as a server with another clock would.
      pool.on('acquire', (connection) =>
        connection.query(
          `SET timestamp = ${serverIsAheadMs === 0 ? 'DEFAULT' : (realNow() + serverIsAheadMs) / 1_000}`,
        ),
      );
    }
    person = await (await hub.person()).connect();
  });
  afterEach(async () => {
    Date.now = realNow;
    serverIsAheadMs = 0;
    await until('the time is right again', () => Math.abs(clock.now() - realNow()) < NEAR_MS);
    await until('the hub is ready again', async () => (await ready()).status === 200);
  });
  afterAll(() => hub.stop());

  const ready = async () => {
    const { status, text } = await rawHttp(hub, 'GET', '/health/ready');
    return { status, clock: (JSON.parse(text) as { clock?: string }).clock };
  };
  const lines = (text: string) => log.written.filter((line) => line.includes(text)).length;
  const isAheadBy = (ms: number) => Math.abs(clock.now() - realNow() - ms) < NEAR_MS;
  /** Some readings later. */
  const settle = () => sleep(3 * SECOND_MS);
  const isFile = () => hub.database.dialect.singleWriter;

  test("is the database's, and this machine's where the database is a file", async () => {
    expect(isAheadBy(0)).toBe(true);
    const before = clock.now();
    await sleep(SECOND_MS);
    const passed = clock.now() - before;
    expect(passed).toBeGreaterThan(900);
    expect(passed).toBeLessThan(900 + NEAR_MS);
    expect(await ready()).toEqual({ status: 200, clock: undefined });
  });

  test.each([EIGHT_DAYS_MS, -2 * HOUR_MS])(
    "does not follow this machine's clock when that alone jumps by %i ms",
    async (ms) => {
      moveMachine(ms);
      if (isFile()) {
        // There is no other clock to go by.
        await until('the time has moved', () => isAheadBy(ms));
        expect((await ready()).status).toBe(200);
        return;
      }
      await until('the hub says so', async () => (await ready()).status === 503);
      expect((await ready()).clock).toMatch(/^off by \d+ s$/);
      await settle();
      expect(isAheadBy(0)).toBe(true);
      expect(person.socket?.connected).toBe(true);
      const said = lines("this machine's clock is off");
      await settle();
      expect(lines("this machine's clock is off")).toBe(said);
      Date.now = realNow;
      await until('the hub takes it back', () => lines("this machine's clock is right again") === said);
    },
  );

  test("does not follow the database's clock when that alone jumps: no session ends", async () => {
    if (isFile()) return;
    for (const ms of [EIGHT_DAYS_MS, -2 * HOUR_MS]) {
      const said = lines('the hub does not follow');
      serverIsAheadMs = ms;
      await until('the hub says so', () => lines('the hub does not follow') > said);
      await settle();
      expect(lines('the hub does not follow')).toBe(said + 1);
      expect(isAheadBy(0)).toBe(true);
      expect(person.socket?.connected).toBe(true);
      expect((await person.get('/auth/session')).status).toBe(200);
      expect((await ready()).status).toBe(200);
      serverIsAheadMs = 0;
      await until('the clocks agree again', () => lines('agrees with the hub') > said);
    }
  });

  test.each([HOUR_MS, -HOUR_MS])('follows both when they jump together, by %i ms', async (ms) => {
    serverIsAheadMs = ms;
    moveMachine(ms);
    await until('the time has moved', () => isAheadBy(ms));
    expect((await ready()).status).toBe(200);
    expect(lines('the time has jumped')).toBeGreaterThan(0);
    // Back together, or the hub would keep what it has.
    serverIsAheadMs = 0;
    Date.now = realNow;
    await until('the time has moved back', () => isAheadBy(0));
  });

  test('follows a suspension of a machine whose clock is off anyway', async () => {
    if (isFile()) return;
    moveMachine(2 * HOUR_MS);
    await until('the hub says so', async () => (await ready()).status === 503);
    await settle();
    expect(isAheadBy(0)).toBe(true);
    // While a machine is suspended, all clocks go on but the process's own.
    serverIsAheadMs = 10 * 60 * SECOND_MS;
    moveMachine(2 * HOUR_MS + serverIsAheadMs);
    await until('the time has moved', () => isAheadBy(10 * 60 * SECOND_MS));
    expect((await ready()).status).toBe(503);
  });

  test('never goes back by a step that an adjusted clock makes', async () => {
    const times = [clock.now()];
    serverIsAheadMs = -2 * SECOND_MS;
    moveMachine(-2 * SECOND_MS);
    for (let step = 0; step < 30; step++) {
      await sleep(100);
      times.push(clock.now());
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(2_500);
  });
});
