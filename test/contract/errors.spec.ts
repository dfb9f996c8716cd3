import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { type ErrorBody, type RefusalCode, refusals } from '../../src/contract/errors.js';
import type { MessageName } from '../../src/contract/wire.js';
import { Connections } from '../../src/platform/connections.js';
import { audit } from '../support/audit.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { type HttpAnswer, Person } from '../support/person.js';
import { type Failure, faultPaths, stranger } from '../support/refused.js';

/** The contract's table, word for word: HTTP status, and whether the same message can succeed later. */
const TABLE: Record<RefusalCode, [status: number, retryable: boolean]> = {
  BAD_MESSAGE: [400, false],
  UNKNOWN_MESSAGE: [404, false],
  UNAUTHENTICATED: [401, false],
  FORBIDDEN: [403, false],
  USER_NOT_FOUND: [404, false],
  USER_EXISTS: [409, false],
  STORE_NOT_FOUND: [404, false],
  STORE_EXISTS: [409, false],
  BOOK_NOT_FOUND: [404, false],
  BOOK_EXISTS: [409, false],
  OUT_OF_STOCK: [409, false],
  ORDER_NOT_FOUND: [404, false],
  ORDER_STATE: [409, false],
  INSUFFICIENT_FUNDS: [402, false],
  PRICE_CHANGED: [409, false],
  KEY_REUSED: [422, false],
  RATE_LIMITED: [429, true],
  OVERLOADED: [503, true],
  UNAVAILABLE: [503, true],
  INTERNAL: [500, true],
};
const WITHOUT_DETAILS = Symbol('without details');
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Sent {
  by: Person;
  message: string;
  request: Record<string, unknown>;
}

/** The same message over HTTP, as the contract's table of routes says. */
function overHttp({ by, message, request }: Sent): Promise<HttpAnswer<Failure>> {
  const { orderId, ...rest } = request;
  const verb = message.split(':')[1] ?? '';
  if (message === 'order:place') return by.post('/orders', request);
  if (message === 'order:get') return by.get(`/orders/${orderId}`);
  if (message === 'order:list') return by.get(`/orders?${new URLSearchParams(rest as Record<string, string>)}`);
  if (message === 'room:read') return by.get(`/rooms/${request.role}/events?after=${request.after}`);
  return by.post(`/orders/${orderId}/${verb}`, rest);
}

async function overSocket({ by, message, request }: Sent): Promise<ErrorBody> {
  const answer = await by.sendRaw(message, request);
  if (answer.ok) throw new Error(`${message} was not refused`);
  expect(Object.keys(answer).sort()).toEqual(['error', 'ok']);
  return answer.error;
}

/** An error has one shape, says what the table says, and tells a person something in English and in confidence. */
function isInContract(error: ErrorBody, code: RefusalCode, details: unknown = WITHOUT_DETAILS): void {
  const [, retryable] = TABLE[code];
  expect(error).toEqual({
    code,
    message: expect.stringMatching(/^[A-Z][A-Za-z ,;'’.-]+\.$/),
    retryable,
    ...(details === WITHOUT_DETAILS ? {} : { details }),
  });
  expect(error.message).not.toMatch(/select|insert|update|sqlite|mysql|node_modules|\.ts|\.js|undefined|null/i);
}

function isToldOverHttp({ status, body }: HttpAnswer<Failure>, code: RefusalCode, details?: unknown): void {
  expect([status, Object.keys(body)]).toEqual([TABLE[code][0], ['error']]);
  isInContract(body.error, code, details);
}

const provoked = new Set<RefusalCode>();

describe('every code of the table', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let gone: Person;
  const order = async (...steps: ('order:pay' | 'order:ship')[]) => {
    const { orderId } = await buyer.place(seller);
    for (const step of steps) await (step === 'order:ship' ? seller : buyer).does(step, { orderId });
    return orderId;
  };
  const placing = (fields: Record<string, unknown> = {}, by = buyer): Sent => ({
    by,
    message: 'order:place',
    request: { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], ...fields },
  });

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 10_000 }, { stock: 3 }, { price: 5_000_000 }]);
    buyer = await hub.buyer(1_000_000);
    gone = await hub.seller();
    await gone.post('/auth/unregister', { password: PASSWORD });
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  test('stands in the code as it stands in the contract', () => {
    const table = Object.entries(refusals).map(([code, { status, retryable }]) => [code, [status, retryable]]);
    expect(Object.fromEntries(table)).toEqual(TABLE);
  });

  const bothWays: [RefusalCode, string, () => Promise<[Sent, details?: unknown]>][] = [
    [
      'BAD_MESSAGE',
      'for a fault of shape',
      async () => [
        placing({ items: [{ bookId: 'book-1', count: 0 }] }),
        [{ path: 'items.0.count', problem: expect.any(String) }],
      ],
    ],
    [
      'BAD_MESSAGE',
      'for a total beyond what a number holds',
      async () => {
        const rich = await hub.seller([{ price: 10 ** 12, stock: 10_000 }]);
        const items = [{ bookId: 'book-1', count: 9_008 }];
        return [placing({ storeId: rich.storeId, items }), [{ path: 'items', problem: expect.any(String) }]];
      },
    ],
    [
      'UNKNOWN_MESSAGE',
      'for a message that there is not',
      async () => [{ by: buyer, message: 'order:steal', request: { orderId: await order() } }],
    ],
    ['FORBIDDEN', "for an order in one's own store", async () => [placing({}, seller)]],
    [
      'FORBIDDEN',
      'for the wrong party',
      async () => [{ by: seller, message: 'order:pay', request: { orderId: await order() } }],
    ],
    [
      'FORBIDDEN',
      "for a stranger's command",
      async () => [{ by: await hub.person(), message: 'order:cancel', request: { orderId: await order() } }],
    ],
    [
      'FORBIDDEN',
      'for a stranger who reads',
      async () => [{ by: await hub.person(), message: 'order:get', request: { orderId: await order() } }],
    ],
    ['USER_NOT_FOUND', 'for a store whose owner has left', async () => [placing({ storeId: gone.storeId })]],
    ['STORE_NOT_FOUND', 'for a store that there is not', async () => [placing({ storeId: 'nowhere' })]],
    [
      'BOOK_NOT_FOUND',
      'for a book that is not on the shelf',
      async () => [
        placing({
          items: [
            { bookId: 'book-1', count: 1 },
            { bookId: 'book-9', count: 1 },
          ],
        }),
        { bookId: 'book-9' },
      ],
    ],
    [
      'OUT_OF_STOCK',
      'for more copies than are left',
      async () => [placing({ items: [{ bookId: 'book-2', count: 4 }] }), { bookId: 'book-2', wanted: 4, available: 3 }],
    ],
    [
      'ORDER_NOT_FOUND',
      'for a command to an order that there is not',
      async () => [{ by: buyer, message: 'order:pay', request: { orderId: 'nothing' } }],
    ],
    [
      'ORDER_NOT_FOUND',
      'for reading an order that there is not',
      async () => [{ by: buyer, message: 'order:get', request: { orderId: '01900000-0000-7000-8000-000000000000' } }],
    ],
    [
      'ORDER_STATE',
      'for receiving what was not shipped',
      async () => [
        { by: buyer, message: 'order:receive', request: { orderId: await order() } },
        { status: 'placed', allowed: ['pay', 'cancel'] },
      ],
    ],
    [
      'ORDER_STATE',
      'for cancelling what was shipped',
      async () => [
        { by: buyer, message: 'order:cancel', request: { orderId: await order('order:pay', 'order:ship') } },
        { status: 'shipped', allowed: ['receive'] },
      ],
    ],
    [
      'INSUFFICIENT_FUNDS',
      'for a buyer without the money',
      async () => {
        const poor = await hub.buyer(999);
        const { orderId } = await poor.place(seller);
        return [
          { by: poor, message: 'order:pay', request: { orderId } },
          { needed: 1_000, balance: 999 },
        ];
      },
    ],
    [
      'INSUFFICIENT_FUNDS',
      'for a seller who cancels without the money',
      async () => {
        const spender = await hub.seller();
        const { orderId } = await buyer.place(spender);
        await buyer.does('order:pay', { orderId });
        await spender.post('/wallet/withdrawals', { amount: 400 });
        return [
          { by: spender, message: 'order:cancel', request: { orderId } },
          { needed: 1_000, balance: 600 },
        ];
      },
    ],
    [
      'PRICE_CHANGED',
      'for placing at another price',
      async () => [placing({ expectedTotal: 999 }), { expected: 999, actual: 1_000 }],
    ],
    [
      'PRICE_CHANGED',
      'for paying another price',
      async () => [
        { by: buyer, message: 'order:pay', request: { orderId: await order(), expectedTotal: 1_001 } },
        { expected: 1_001, actual: 1_000 },
      ],
    ],
    [
      'KEY_REUSED',
      'for a key that came with another message',
      async () => {
        const key = hub.name('key');
        await buyer.does('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 2 }], key });
        return [placing({ key })];
      },
    ],
  ];

  test.each(bothWays)('%s is told on both ways %s', async (code, _, provoke) => {
    const [sent, details] = await provoke();
    isInContract(await overSocket(sent), code, details);
    isToldOverHttp(await overHttp(sent), code, details);
    provoked.add(code);
  });

  const overHttpOnly: [RefusalCode, string, unknown, () => Promise<HttpAnswer<Failure>>][] = [
    [
      'USER_EXISTS',
      'a user',
      WITHOUT_DETAILS,
      () => buyer.post('/auth/register', { userId: seller.userId, password: PASSWORD }),
    ],
    ['STORE_EXISTS', 'a store', WITHOUT_DETAILS, () => buyer.post('/stores', { storeId: seller.storeId })],
    [
      'BOOK_EXISTS',
      'a book',
      { bookId: 'book-1' },
      () => seller.post(`/stores/${seller.storeId}/books`, { bookId: 'book-1', title: 'Again', price: 1, stock: 1 }),
    ],
  ];
  test.each(overHttpOnly)('%s is told of %s that there is already', async (code, _, details, provoke) => {
    isToldOverHttp(await provoke(), code, details);
    provoked.add(code);
  });

  test('UNAUTHENTICATED is told to the bearer of a bad token, on both ways', async () => {
    const impostor = new Person(hub, 'impostor', 'A'.repeat(43));
    isToldOverHttp(await overHttp(placing({}, impostor)), 'UNAUTHENTICATED');
    const { error } = await knock(hub, { token: impostor.token });
    expect(error?.message).toBe('UNAUTHENTICATED');
    isInContract(error?.data as ErrorBody, 'UNAUTHENTICATED');
    isToldOverHttp(await stranger(hub).get<Failure>('/wallet'), 'UNAUTHENTICATED');
    provoked.add('UNAUTHENTICATED');
  });

  test('INTERNAL is told when the hub has a fault, with an id for its log, and the same key can succeed later', async () => {
    const keys = [hub.name('key'), hub.name('key')];
    const orderId = await order();
    await hub.database.writer.query('ALTER TABLE rooms RENAME TO mislaid_rooms');
    await hub.database.writer.query('ALTER TABLE orders RENAME TO mislaid_orders');
    try {
      const told = { errorId: expect.stringMatching(UUID) };
      isInContract(await overSocket(placing({ key: keys[0] })), 'INTERNAL', told);
      isToldOverHttp(await overHttp(placing({ key: keys[1] })), 'INTERNAL', told);
      const reading = { by: buyer, message: 'order:get', request: { orderId } };
      isInContract(await overSocket(reading), 'INTERNAL', told);
      isToldOverHttp(await overHttp(reading), 'INTERNAL', told);
      const [first, second] = [await overSocket(reading), await overSocket(reading)];
      expect(first.details).not.toEqual(second.details);
    } finally {
      await hub.database.writer.query('ALTER TABLE mislaid_orders RENAME TO orders');
      await hub.database.writer.query('ALTER TABLE mislaid_rooms RENAME TO rooms');
    }
    for (const key of keys) {
      const answer = await buyer.sendRaw('order:place', placing({ key }).request);
      expect(answer).toMatchObject({ ok: true, data: { status: 'placed' } });
      expect(answer).not.toHaveProperty('replayed');
    }
    provoked.add('INTERNAL');
  });

  test('UNAVAILABLE is told by a hub that shuts down, on both ways, and nothing was done', async () => {
    const closing = await TestHub.start();
    try {
      const shop = await closing.seller();
      const visitor = await closing.buyer();
      await visitor.connect();
      closing.hub.app.get(Connections).drain();
      const sent: Sent = {
        by: visitor,
        message: 'order:place',
        request: { storeId: shop.storeId, items: [{ bookId: 'book-1', count: 1 }] },
      };
      isInContract(await overSocket(sent), 'UNAVAILABLE');
      isInContract(await overSocket({ by: visitor, message: 'order:list', request: { role: 'buyer' } }), 'UNAVAILABLE');
      const { error } = await knock(closing, { token: visitor.token });
      isInContract(error?.data as ErrorBody, 'UNAVAILABLE');
      expect(await closing.rows('SELECT * FROM orders')).toEqual([]);
      isToldOverHttp(await overHttp(sent), 'UNAVAILABLE');
      expect(await closing.rows('SELECT * FROM orders')).toEqual([]);
    } finally {
      await closing.stop();
    }
    provoked.add('UNAVAILABLE');
  });

  test('was provoked here, but for the two that need a crowd', () => {
    const crowded: RefusalCode[] = ['RATE_LIMITED', 'OVERLOADED'];
    expect([...provoked, ...crowded].sort()).toEqual(Object.keys(TABLE).sort());
  });

  test('left the books in balance', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a hub whose database is away', () => {
  test('says UNAVAILABLE on both ways, and that it is not ready', async () => {
    const hub = await TestHub.start();
    const writer = hub.database.writer;
    try {
      const seller = await hub.seller();
      const buyer = await hub.buyer();
      await buyer.connect();
      const sent = {
        by: buyer,
        message: 'order:place',
        request: { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] },
      };
      await hub.database.close();
      isInContract(await overSocket(sent), 'UNAVAILABLE');
      isInContract(await overSocket({ by: buyer, message: 'order:list', request: { role: 'buyer' } }), 'UNAVAILABLE');
      isToldOverHttp(await overHttp(sent), 'UNAVAILABLE');
      isToldOverHttp(await stranger(hub).get<Failure>('/books'), 'UNAVAILABLE');
      const { error } = await knock(hub, { token: buyer.token });
      isInContract(error?.data as ErrorBody, 'UNAVAILABLE');
      expect((await stranger(hub).get('/health/ready')).status).toBe(503);
      expect((await stranger(hub).get('/health/live')).status).toBe(200);
    } finally {
      // The hub closes its database once more when it stops.
      if (!writer.isInitialized) await writer.initialize();
      if (!hub.database.read.connection.isInitialized) await hub.database.read.connection.initialize();
      await hub.stop();
    }
  });
});

describe('every message over a socket is answered', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const MESSAGES: MessageName[] = [
    'order:place',
    'order:pay',
    'order:ship',
    'order:receive',
    'order:cancel',
    'order:get',
    'order:list',
    'room:read',
  ];

  /** What a socket hears of messages that it sent without an acknowledgement. */
  function failuresOf(person: Person): { message: string; error: ErrorBody }[] {
    const failures: { message: string; error: ErrorBody }[] = [];
    (person.socket as unknown as Socket).on('order:error', (failure) => failures.push(failure));
    return failures;
  }

  /** Sends a frame that Socket.IO's client would not write. */
  function sendFrame(person: Person, frame: string): void {
    (person.socket as unknown as Socket).io.engine.send(frame);
  }

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller();
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(() => hub.stop());

  test.each([
    'order:steal',
    'order',
    '',
    'Order:Place',
    'order:place ',
    'order:status',
    'room:ready',
    'message',
    'error',
    'data',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'then',
    '三体',
    'a name that is longer than any'.repeat(5),
    5,
    0,
    -1.5,
  ])('with UNKNOWN_MESSAGE to the name %j', async (given) => {
    // Socket.IO's protocol knows numbers as names, though its client's types do not.
    const name = given as string;
    for (const payload of [[], [{}], [{ orderId: 'x' }, 2, 3]]) {
      const answer = await buyer.sendRaw(name, ...payload);
      expect(answer).toEqual({ ok: false, error: expect.any(Object) });
      if (!answer.ok) isInContract(answer.error, 'UNKNOWN_MESSAGE');
    }
  });

  const oddPayloads: [string, unknown[]][] = [
    ['two arguments', [{}, {}]],
    ['five arguments', [1, 2, 3, 4, 5]],
    ['no argument', []],
    ['null', [null]],
    ['a text', ['order']],
    ['a number', [7]],
    ['a boolean', [true]],
    ['a list', [[{ orderId: 'x' }]]],
    ['an empty list', [[]]],
    ['bytes', [Buffer.from('{"orderId": "x"}')]],
    ['bytes in a field that there is not', [{ surprise: Buffer.from('x') }]],
    ['a field that is not listed', [{ surprise: 1 }]],
    ['__proto__ for a field', [JSON.parse('{"__proto__": {"orderId": "x"}}')]],
    ['33 levels', [JSON.parse(`${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`)]],
    ['33 levels of lists', [JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`)]],
  ];
  test.each(oddPayloads)('with BAD_MESSAGE to %s', async (_, payload) => {
    for (const message of MESSAGES) {
      const answer = await buyer.sendRaw(message, ...payload);
      expect(answer).toEqual({ ok: false, error: expect.any(Object) });
      if (!answer.ok) isInContract(answer.error, 'BAD_MESSAGE', expect.any(Array));
    }
  });

  test('with BAD_MESSAGE to 6,000 lists within each other, which a client could not even write', async () => {
    const attacker = await hub.person();
    await attacker.connect();
    const failures = failuresOf(attacker);
    for (const message of MESSAGES) sendFrame(attacker, `2["${message}",${'['.repeat(6_000)}${']'.repeat(6_000)}]`);
    await until('all failures are told', () => failures.length >= MESSAGES.length);
    expect(failures.map(({ message }) => message)).toEqual(MESSAGES);
    for (const { error } of failures) isInContract(error, 'BAD_MESSAGE', [{ path: '', problem: expect.any(String) }]);
    expect(attacker.socket?.connected).toBe(true);
  });

  test('but for what is no message: 12 KB of opening brackets do no harm to others', async () => {
    const attacker = await hub.person();
    await attacker.connect();
    sendFrame(attacker, `2["order:get",${'['.repeat(12_288)}`);
    sendFrame(attacker, '['.repeat(12_288));
    expect(await buyer.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
    await attacker.connect();
    expect(await attacker.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
  });

  test('with where the fault is', async () => {
    const pathsOf = async (message: MessageName, payload: unknown) => {
      const answer = await buyer.sendRaw(message, payload);
      return answer.ok ? [] : faultPaths(answer.error);
    };
    expect(await pathsOf('order:get', JSON.parse('{"orderId": "x", "__proto__": 1}'))).toEqual(['__proto__']);
    expect(await pathsOf('order:get', { orderId: Buffer.from('x') })).toEqual(['orderId']);
    expect(await pathsOf('order:pay', { orderId: 7, amount: 1, key: null })).toEqual(['amount', 'key', 'orderId']);
    expect(await pathsOf('order:list', { role: 'courier', status: 'lost', limit: 0, after: '' })).toEqual([
      'after',
      'limit',
      'role',
      'status',
    ]);
    expect(await pathsOf('room:read', { role: 'buyer', after: '0' })).toEqual(['after']);
    expect(await pathsOf('order:place', { storeId: 's', items: [] })).toEqual(['items']);
    const items = Array.from({ length: 101 }, (_, index) => ({ bookId: `${index}`, count: 1 }));
    expect(await pathsOf('order:place', { storeId: 's', items })).toEqual(['items']);
  });

  test('with every fault at once, and no word of what was sent', async () => {
    const secret = 'Geheimnis';
    const request = {
      storeId: `${secret} `,
      items: [{ bookId: `${secret}\u0000`, count: secret }, { bookId: secret, count: { [secret]: secret } }, secret],
      expectedTotal: secret,
      key: `${secret} ${secret}`,
    };
    const answer = await buyer.sendRaw('order:place', request);
    if (answer.ok) throw new Error('The order was placed');
    expect(faultPaths(answer.error)).toEqual([
      'expectedTotal',
      'items.0.bookId',
      'items.0.count',
      'items.1.count',
      'items.2',
      'key',
      'storeId',
    ]);
    expect(JSON.stringify(answer)).not.toContain(secret);
    expect(JSON.stringify(await buyer.sendRaw(secret, {}))).not.toContain(secret);
    expect(JSON.stringify(await buyer.sendRaw('order:get', { orderId: secret }))).not.toContain(secret);
  });

  test('whatever came before it on the same socket, in the order in which they were sent', async () => {
    const order: number[] = [];
    const sends = [
      ['order:steal', {}],
      ['order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] }],
      ['order:list', { role: 'buyer' }],
      ['order:get', null],
      ['order:pay', { orderId: 'nothing' }],
      ['room:read', { role: 'buyer', after: 0 }],
    ].map(([message, payload], index) => buyer.sendRaw(`${message}`, payload).then(() => order.push(index)));
    await Promise.all(sends);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('by an event, if it came without an acknowledgement and failed; and it is carried out if it can be', async () => {
    const quiet = await hub.buyer();
    await quiet.connect();
    const failures = failuresOf(quiet);
    const socket = quiet.socket as unknown as Socket;
    socket.emit('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    const [placed] = await quiet.hears(1);
    expect(placed).toMatchObject({ status: 'placed', buyerId: quiet.userId });
    expect(failures).toEqual([]);

    const long = 'y'.repeat(5_000);
    socket.emit('order:place', { storeId: 'nowhere', items: [{ bookId: 'book-1', count: 1 }] });
    socket.emit('order:pay', { orderId: 7 });
    socket.emit('order:steal', {});
    socket.emit('order:get');
    socket.emit('order:list', { role: 'buyer' });
    socket.emit(long);
    await until('all failures are told', () => failures.length >= 5);
    expect(failures.slice(0, 4).map(({ message, error }) => [message, error.code])).toEqual([
      ['order:place', 'STORE_NOT_FOUND'],
      ['order:pay', 'BAD_MESSAGE'],
      ['order:steal', 'UNKNOWN_MESSAGE'],
      ['order:get', 'BAD_MESSAGE'],
    ]);
    expect(failures[4]?.error.code).toBe('UNKNOWN_MESSAGE');
    for (const failure of failures) expect(Object.keys(failure).sort()).toEqual(['error', 'message']);
    expect(await quiet.does('order:list', { role: 'buyer' })).toMatchObject({ items: [{ status: 'placed' }] });
    expect(failures).toHaveLength(5);
  });

  test('and only a frame of more than 64 KB cuts the connection', async () => {
    const loud = await hub.person();
    await loud.connect();
    const padding = (bytes: number) => ({ orderId: 'x', padding: 'x'.repeat(bytes) });
    const answer = await loud.sendRaw('order:get', padding(65_000));
    expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    (loud.socket as unknown as Socket).emit('order:get', padding(66_000));
    await until('the socket is cut', () => loud.socket?.connected === false);
    expect(await buyer.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
  });

  test('and the hub is well after all of this', async () => {
    expect((await buyer.get('/health/ready')).status).toBe(200);
    expect(await audit(hub)).toEqual([]);
  });
});
