import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { follow, hearsUpTo, isLive, memory } from '../support/follower.js';
import { TestHub } from '../support/hub.js';
import { PrefixProxy } from '../support/prefix.proxy.js';

describe('the client library behind a reverse proxy without WebSockets', () => {
  let hub: TestHub;
  let proxy: PrefixProxy;

  beforeAll(async () => {
    hub = await TestHub.start();
    proxy = await PrefixProxy.before(hub.url, '/shop', { passesWebSockets: false });
  });
  afterAll(async () => {
    await proxy.close();
    await hub.stop();
  });

  test('falls back to polling, and receives each event once, in order, also after reconnecting', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer();
    const storage = memory();
    const at = follow(proxy.url, buyer, storage);
    const order = await at.client.place({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    expect((await at.client.pay({ orderId: order.orderId })).status).toBe('paid');
    expect(await hearsUpTo(at, 'buyer', 2)).toEqual([1, 2]);
    at.client.close();

    await seller.post(`/orders/${order.orderId}/ship`, {});
    const reconnected = follow(proxy.url, buyer, storage);
    await isLive(reconnected);
    expect((await reconnected.client.receive({ orderId: order.orderId })).status).toBe('received');
    expect(await hearsUpTo(reconnected, 'buyer', 4)).toEqual([3, 4]);
    expect(reconnected.missed).toEqual([1]);
    expect(proxy.refusedWebSockets).toBeGreaterThan(0);
    reconnected.client.close();
  });
});
