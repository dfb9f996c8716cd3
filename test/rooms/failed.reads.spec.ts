import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DefaultClient } from '../support/default.client.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** Longer than several attempts. */
const SHORT_FAILURE_MS = 1_500;
const CLOSED = 'socket closed';
const NOT_UP_TO_DATE = 'a socket could not be brought up to date and is cut; it comes back with last';

describe.each<'websocket' | 'polling'>(['websocket', 'polling'])("a default Socket.IO client's %s", (transport) => {
  const log = new LogBook();
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let client: DefaultClient;
  let hidden: string[] = [];

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'info' }, undefined, log);
    buyer = await (await hub.buyer()).connect();
  });
  afterAll(() => hub.stop());
  beforeEach(async () => {
    seller = await hub.seller([{ stock: 100 }]);
    client = new DefaultClient(seller, [transport]);
    await until('the client is up to date', () => client.ready === 1);
  });
  afterEach(async () => {
    await restore();
    client.socket.disconnect();
  });

  /** Makes every read of these tables fail, and only then lets the client come back. */
  async function hide(...tables: string[]): Promise<void> {
    hidden = tables;
    for (const table of tables) await hub.database.writer.query(`ALTER TABLE ${table} RENAME TO hidden_${table}`);
    client.socket.connect();
  }
  async function restore(): Promise<void> {
    for (const table of hidden) await hub.database.writer.query(`ALTER TABLE hidden_${table} RENAME TO ${table}`);
    hidden = [];
  }
  /** Orders whose events the hub publishes, but which the client can only receive by reading them. */
  async function orderUnseen(count: number): Promise<void> {
    client.socket.disconnect();
    await Promise.all(range(count).map(() => buyer.place(seller)));
  }
  async function closed(cause: string): Promise<number> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    const sample = new RegExp(`^order_hub_sockets_closed_total\\{cause="${cause}"\\} (\\d+)$`, 'm').exec(text);
    return Number(sample?.[1] ?? 0);
  }
  const allEvents = (count: number) => range(count).map((index) => `seller ${index + 1}`);
  const expectAllEvents = async (count: number) => {
    await until(`the client receives ${count} events`, () => client.events.length >= count);
    await buyer.place(seller);
    await until('the client receives a live event', () => client.events.length > count);
    expect(client.events).toEqual(allEvents(count + 1));
    expect(client.disconnects).not.toContain('io server disconnect');
  };

  test('stays open while its missed events cannot be read for a moment', async () => {
    await orderUnseen(60);
    await hide('room_events');
    const before = await closed('catch-up');
    await until('the client is connected again', () => client.socket.connected);
    const disconnects = client.disconnects.length;
    await sleep(SHORT_FAILURE_MS);
    await restore();
    await expectAllEvents(60);
    expect(client.disconnects).toHaveLength(disconnects);
    expect(await closed('catch-up')).toBe(before);
  });

  test('reconnects after its transport was closed, because reads failed for too long', async () => {
    await orderUnseen(60);
    await hide('room_events');
    const [before, lines] = [await closed('catch-up'), log.lines(NOT_UP_TO_DATE).length];
    await until('the hub closes the socket', async () => (await closed('catch-up')) > before);
    await restore();
    await expectAllEvents(60);
    expect(log.lines(NOT_UP_TO_DATE)).toHaveLength(lines + 1);
    const line = log.lines(NOT_UP_TO_DATE).at(-1);
    expect(line).toMatchObject({
      cause: 'catch-up',
      user: seller.userId,
      error: expect.stringContaining('room_events'),
    });
  });

  test('is admitted by a handshake that waits for its session', async () => {
    await orderUnseen(3);
    await hide('sessions');
    await sleep(SHORT_FAILURE_MS);
    await restore();
    await expectAllEvents(3);
  });

  test('is disconnected for good when its session ends', async () => {
    const before = await closed('session-ended');
    await seller.post('/auth/logout');
    await until('the client is disconnected', () => client.disconnects.length > 0);
    expect(client.disconnects).toEqual(['io server disconnect']);
    expect(await closed('session-ended')).toBe(before + 1);
    expect(log.lines(CLOSED, { cause: 'session-ended', user: seller.userId })).toHaveLength(1);
  });
});
