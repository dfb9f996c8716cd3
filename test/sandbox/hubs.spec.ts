import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { device, stopBoth, twoHubs } from '../support/ways.js';

const DAY = 86_400_000;
const TOLERANCE = 2_000;

/** Two sandboxes on one server database; on the embedded database, one must pass the same tests. */
describe('several sandboxes', () => {
  let here: TestHub;
  let there: TestHub;

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ sandbox: true }));
  });
  afterAll(() => stopBoth(here, there));

  const agree = () => until('the hubs agree on the time', () => Math.abs(here.now() - there.now()) < TOLERANCE);

  test('agree on the time, and on what came due', async () => {
    const seller = await here.seller();
    const buyer = device(await here.buyer(), there);
    await buyer.connect();
    const { orderId } = await buyer.place(seller);
    await new Person(here, '', '').post('/sandbox/clock', { advanceMs: 30 * DAY });
    const [, expired] = await buyer.hears(2);
    expect(expired).toMatchObject({ orderId, status: 'cancelled', cancelReason: 'expired' });
    await agree();
    expect(buyer.socket?.connected).toBe(true);
    const order = await buyer.place(seller);
    expect(Math.abs(Date.parse(order.placedAt) - here.now())).toBeLessThan(TOLERANCE);
    await new Person(there, '', '').post('/sandbox/clock', { advanceMs: DAY });
    await buyer.hears(4);
    await agree();
  });

  test('move on together when both are moved at once', async () => {
    const before = here.now();
    const moved = [here, there].map((hub) => new Person(hub, '', '').post('/sandbox/clock', { advanceMs: DAY }));
    for (const { status } of await Promise.all(moved)) expect(status).toBe(200);
    await agree();
    expect(here.now()).toBeGreaterThanOrEqual(before + DAY);
  });

  test('are empty together', async () => {
    const buyer = device(await here.buyer(), there);
    await buyer.connect();
    await new Person(here, '', '').post('/sandbox/reset');
    await until('the other ends its sockets', () => buyer.socket?.connected === false);
    await agree();
    expect((await buyer.get('/wallet')).status).toBe(401);
    const again = await here.register(buyer.userId);
    expect((await device(again, there).wallet()).balance).toBe(0);
  });
});
