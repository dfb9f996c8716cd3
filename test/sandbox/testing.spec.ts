import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { HubError } from '../../src/client/connect.js';
import { startTestHub, type TestHub, type TestHubOptions } from '../../src/testing/start.test.hub.js';
import { until } from '../support/hub.js';

const MINUTE = 60_000;

describe('the test kit', () => {
  const hubs: TestHub[] = [];
  const start = async (options?: TestHubOptions) => {
    const hub = await startTestHub(options);
    hubs.push(hub);
    return hub;
  };
  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.stop();
  });

  /** A store with a book, and how to order it. */
  const open = async (hub: TestHub) => {
    const seller = await hub.api('mei');
    await seller.call('openStore', { storeId: 'corner-books' });
    await seller.call('addBook', { storeId: 'corner-books', bookId: 'one', title: 'One', price: 100, stock: 9 });
    return { storeId: 'corner-books', items: [{ bookId: 'one', count: 1 }] };
  };

  test('moves the time: the client has heard of what came due', async () => {
    const hub = await start({ settings: { UNPAID_TTL_SECONDS: '3600' } });
    const request = await open(hub);
    const buyer = await hub.connect('lin');
    const heard: string[] = [];
    buyer.on('order', ({ status }) => heard.push(status));
    const { placedAt, expiresAt } = await buyer.place(request);
    expect(Date.parse(expiresAt) - Date.parse(placedAt)).toBe(60 * MINUTE);
    const { now } = await hub.clock.advance(59 * MINUTE);
    expect(Date.parse(now)).toBeGreaterThanOrEqual(Date.parse(placedAt) + 59 * MINUTE);
    expect(heard).toEqual(['placed']);
    await hub.clock.advance(MINUTE);
    expect(heard).toEqual(['placed', 'cancelled']);
  });

  test('spoils messages, and shows what was said and heard', async () => {
    const hub = await start();
    const request = await open(hub);
    const buyer = await hub.connect('lin');
    await hub.faults.cutAfterCommit('lin', 'order:place');
    await hub.faults.dropAck('lin', 'order:pay');
    await hub.faults.twice('lin', 'order:cancel');
    await hub.faults.cutBefore('lin', 'order:list', { times: 2 });
    await hub.faults.delay('lin', 'order:get', { ms: 100 });
    const { orderId } = await buyer.place(request);
    await buyer.cancel({ orderId });
    expect((await buyer.get(orderId)).timeline).toHaveLength(2);
    expect((await buyer.list({ role: 'buyer' })).items).toHaveLength(1);
    const entries = await hub.transcript('lin');
    const spoilt = entries.filter(({ fault }) => fault).map(({ name, fault }) => `${name} ${fault}`);
    expect(spoilt).toEqual([
      'order:place cut-after-commit',
      'order:cancel twice',
      'order:get delay',
      'order:list cut-before',
      'order:list cut-before',
    ]);
  });

  test('rejects with the error of the hub', async () => {
    const hub = await start();
    await expect(hub.clock.advance(-1)).rejects.toThrow(HubError);
    await expect(hub.clock.advance(-1)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(hub.faults.add({ userId: '', message: 'order:pay', do: 'twice' })).rejects.toMatchObject({
      details: [{ path: 'userId' }],
    });
    await expect(startTestHub({ settings: { HOST: '0.0.0.0' } })).rejects.toThrow('SANDBOX: on is for this machine');
  });

  test('begins again after a reset', async () => {
    const hub = await start();
    await open(hub);
    const buyer = await hub.connect('lin');
    const ended = new Promise((resolve) => buyer.on('ended', resolve));
    await hub.clock.advance(60 * MINUTE);
    await hub.reset();
    expect(await ended).toEqual({ reason: 'revoked' });
    const request = await open(hub);
    const again = await hub.connect('lin');
    const order = await again.place(request);
    expect(order.number).toBe(1);
    expect(Math.abs(Date.parse(order.placedAt) - Date.now())).toBeLessThan(MINUTE);
  });

  test('several hubs know nothing of each other', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.url).not.toBe(other.url);
    await open(one);
    const { items } = await (await other.api('mei')).call('stores', { owner: 'mei' });
    expect(items).toEqual([]);
  });

  test('leaves nothing behind', async () => {
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('order-hub-test-')).length;
    const before = folders();
    const hub = await startTestHub();
    const client = await hub.connect('lin');
    await until('it is live', () => client.state === 'live');
    expect(folders()).toBe(before + 1);
    await hub.stop();
    expect(folders()).toBe(before);
    await expect(fetch(hub.url)).rejects.toThrow();
    await expect(client.list({ role: 'buyer' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
