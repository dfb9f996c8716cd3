import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush, RoomEvents } from '../../src/contract/rooms.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { HttpAnswer, Person } from '../support/person.js';
import { range } from '../support/ways.js';

const HEAD = 120;

describe('reading a room', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let told: OrderStatusPush[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
    await Promise.all(range(HEAD).map(() => buyer.place(seller)));
    told = await seller.hears(HEAD);
  });
  afterAll(() => hub.stop());

  /** The same read in both ways. */
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
  ])(
    'what came after $after, at most $limit, is just as it was told: $events events',
    async ({ after, limit, events }) => {
      expect(await read(seller, 'seller', after, limit)).toEqual({
        events: told.slice(after, after + events),
        head: HEAD,
        complete: true,
      });
    },
  );

  test.each([HEAD + 1, HEAD * 10, Number.MAX_SAFE_INTEGER])(
    'a number beyond the head (%d) gives nothing and is not complete',
    async (after) => {
      expect(await read(seller, 'seller', after)).toEqual({ events: [], head: HEAD, complete: false });
    },
  );

  test('page by page all events are read, each once', async () => {
    const seqs: number[] = [];
    for (let after = 0; after < HEAD; after = seqs.at(-1) ?? HEAD) {
      const { events } = await read(seller, 'seller', after, 35);
      seqs.push(...events.map(({ seq }) => seq));
    }
    expect(seqs).toEqual(range(HEAD).map((index) => index + 1));
  });

  test("everybody reads their own two rooms, and nobody else's", async () => {
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
    ['no number', { role: 'seller' }, 'after'],
    ['a number below zero', { role: 'seller', after: -1 }, 'after'],
    ['half a number', { role: 'seller', after: 0.5 }, 'after'],
    ['a text for a number', { role: 'seller', after: '0' }, 'after'],
    ['a number beyond 2^53−1', { role: 'seller', after: 2 ** 53 }, 'after'],
    ['no role', { after: 0 }, 'role'],
    ['a role that there is not', { role: 'hub', after: 0 }, 'role'],
    ['a limit of nothing', { role: 'seller', after: 0, limit: 0 }, 'limit'],
    ['a limit beyond 100', { role: 'seller', after: 0, limit: 101 }, 'limit'],
    ["another user's name", { role: 'seller', after: 0, userId: 'somebody' }, 'userId'],
  ])('a read with %s is BAD_MESSAGE', async (_, request, path) => {
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
    ['/rooms/seller/events?after=0&userId=somebody', 'userId'],
    ['/rooms/seller/events?after=0&role=buyer', 'role'],
  ])('over HTTP %s is BAD_MESSAGE', async (path, fault) => {
    const { status, body }: HttpAnswer<{ error: unknown }> = await seller.get(path);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: fault }] });
  });

  test('over HTTP a room is not read without a token', async () => {
    const response = await fetch(`${hub.url}/rooms/seller/events?after=0`);
    expect(response.status).toBe(401);
  });

  test('a page that is read while events come in has no gap, and never passes its own head', async () => {
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
