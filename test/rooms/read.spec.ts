import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush, RoomEvents } from '../../src/contract/rooms.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { HttpAnswer, Person } from '../support/person.js';
import { range } from '../support/ways.js';

const HEAD = 120;

describe('room:read', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let pushed: OrderStatusPush[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
    await Promise.all(range(HEAD).map(() => buyer.place(seller)));
    pushed = await seller.hears(HEAD);
  });
  afterAll(() => hub.stop());

  /** Reads over both transports, which must return the same. */
  async function read(person: Person, role: 'buyer' | 'seller', after: number, limit?: number): Promise<RoomEvents> {
    const overSocket = await person.does('room:read', { role, after, ...(limit === undefined ? {} : { limit }) });
    const query = limit === undefined ? `after=${after}` : `after=${after}&limit=${limit}`;
    const { status, body } = await person.get<RoomEvents>(`/rooms/${role}/events?${query}`);
    expect(status).toBe(200);
    expect(body).toEqual(overSocket);
    return overSocket;
  }

  test.each([
    { after: 0, limit: undefined, events: 20 },
    { after: 0, limit: 1, events: 1 },
    { after: 0, limit: 100, events: 100 },
    { after: 50, limit: 7, events: 7 },
    { after: 110, limit: undefined, events: 10 },
    { after: HEAD - 1, limit: 100, events: 1 },
    { after: HEAD, limit: undefined, events: 0 },
  ])('after $after with limit $limit returns $events events as they were pushed', async ({ after, limit, events }) => {
    expect(await read(seller, 'seller', after, limit)).toEqual({
      events: pushed.slice(after, after + events),
      head: HEAD,
      complete: true,
    });
  });

  test.each([HEAD + 1, HEAD * 10, Number.MAX_SAFE_INTEGER])(
    'after %d, beyond the head, is empty and not complete',
    async (after) => {
      expect(await read(seller, 'seller', after)).toEqual({ events: [], head: HEAD, complete: false });
    },
  );

  test('returns each event once over all pages', async () => {
    const seqs: number[] = [];
    for (let after = 0; after < HEAD; after = seqs.at(-1) ?? HEAD) {
      const { events } = await read(seller, 'seller', after, 35);
      seqs.push(...events.map(({ seq }) => seq));
    }
    expect(seqs).toEqual(range(HEAD).map((index) => index + 1));
  });

  test('reads the user’s own two rooms only', async () => {
    expect(await read(buyer, 'seller', 0)).toEqual({ events: [], head: 0, complete: true });
    const own = await read(buyer, 'buyer', 0, 100);
    expect(own.head).toBe(HEAD);
    expect(own.events.every(({ role, buyerId }) => role === 'buyer' && buyerId === buyer.userId)).toBe(true);
    const stranger = await hub.person();
    for (const role of ['buyer', 'seller'] as const) {
      expect(await read(stranger, role, 0)).toEqual({ events: [], head: 0, complete: true });
      expect(await read(stranger, role, 1)).toEqual({ events: [], head: 0, complete: false });
    }
  });

  test.each<[string, unknown, string]>([
    ['no after', { role: 'seller' }, 'after'],
    ['a negative after', { role: 'seller', after: -1 }, 'after'],
    ['a fractional after', { role: 'seller', after: 0.5 }, 'after'],
    ['a string after', { role: 'seller', after: '0' }, 'after'],
    ['an after beyond 2^53−1', { role: 'seller', after: 2 ** 53 }, 'after'],
    ['no role', { after: 0 }, 'role'],
    ['an unknown role', { role: 'hub', after: 0 }, 'role'],
    ['a limit of zero', { role: 'seller', after: 0, limit: 0 }, 'limit'],
    ['a limit beyond 100', { role: 'seller', after: 0, limit: 101 }, 'limit'],
    ["another user's id", { role: 'seller', after: 0, userId: 'other-user' }, 'userId'],
  ])('with %s is BAD_MESSAGE', async (_, request, path) => {
    expect(await seller.sendRaw('room:read', request)).toMatchObject({
      ok: false,
      error: {
        code: 'BAD_MESSAGE',
        retryable: false,
        details: expect.arrayContaining([{ path, problem: expect.any(String) }]),
      },
    });
  });

  test.each([
    ['/rooms/seller/events', 'after'],
    ['/rooms/seller/events?after=-1', 'after'],
    ['/rooms/seller/events?after=1.5', 'after'],
    ['/rooms/seller/events?after=', 'after'],
    ['/rooms/seller/events?after=0&after=1', 'after'],
    ['/rooms/hub/events?after=0', 'role'],
    ['/rooms/seller/events?after=0&limit=0', 'limit'],
    ['/rooms/seller/events?after=0&limit=101', 'limit'],
    ['/rooms/seller/events?after=0&limit=ten', 'limit'],
    ['/rooms/seller/events?after=0&userId=other-user', 'userId'],
    ['/rooms/seller/events?after=0&role=buyer', 'role'],
  ])('over HTTP %s is BAD_MESSAGE', async (path, fault) => {
    const { status, body }: HttpAnswer<{ error: unknown }> = await seller.get(path);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: fault }] });
  });

  test('over HTTP without a token is 401', async () => {
    const response = await fetch(`${hub.url}/rooms/seller/events?after=0`);
    expect(response.status).toBe(401);
  });

  test('returns pages without gaps, up to their own head, while events are committed', async () => {
    const reading = range(40).map(async (index) => {
      await buyer.place(seller);
      return seller.does('room:read', { role: 'seller', after: HEAD - (index % 3), limit: 100 });
    });
    for (const [index, { events, head, complete }] of (await Promise.all(reading)).entries()) {
      const first = HEAD - (index % 3) + 1;
      expect(complete).toBe(true);
      expect(events.map(({ seq }) => seq)).toEqual(range(head - first + 1).map((offset) => first + offset));
    }
    expect(await audit(hub)).toEqual([]);
  });
});
