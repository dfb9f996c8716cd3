import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { follow, hearsUpTo, isLive, memory } from '../support/follower.js';
import { TestHub } from '../support/hub.js';
import { PrefixProxy } from '../support/prefix.proxy.js';

describe('the client library behind a web server that passes no WebSockets on', () => {
  let hub: TestHub;
  let server: PrefixProxy;

  beforeAll(async () => {
    hub = await TestHub.start();
    server = await PrefixProxy.before(hub.url, '/shop', { passesWebSockets: false });
  });
  afterAll(async () => {
    await server.close();
    await hub.stop();
  });

  test('polls: its calls are answered, and each event is heard once and in order, also after a break', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer();
    const storage = memory();
    const at = follow(server.url, buyer, storage);
    const order = await at.client.place({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    expect((await at.client.pay({ orderId: order.orderId })).status).toBe('paid');
    expect(await hearsUpTo(at, 'buyer', 2)).toEqual([1, 2]);
    at.client.close();

    await seller.post(`/orders/${order.orderId}/ship`, {});
    const back = follow(server.url, buyer, storage);
    await isLive(back);
    expect((await back.client.receive({ orderId: order.orderId })).status).toBe('received');
    expect(await hearsUpTo(back, 'buyer', 4)).toEqual([3, 4]);
    expect(back.missed).toEqual([1]);
    expect(server.refusedWebSockets).toBeGreaterThan(0);
    back.client.close();
  });
});
