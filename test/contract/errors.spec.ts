import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { type ErrorBody, type ErrorCode, errorTypes } from '../../src/contract/errors.js';
import type { MessageName } from '../../src/contract/wire.js';
import { SocketRegistry } from '../../src/platform/sockets/socket.registry.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { type HttpAnswer, Person } from '../support/person.js';
import { type Failure, faultPaths, stranger } from '../support/refused.js';

/** The contract's table, copied: HTTP status, and whether a retry can succeed. */
const TABLE: Record<ErrorCode, [status: number, retryable: boolean]> = {
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
  STORE_PAUSED: [409, false],
  ORDER_NOT_FOUND: [404, false],
  ORDER_STATE: [409, false],
  CLAIMED: [409, false],
  INSUFFICIENT_FUNDS: [402, false],
  PRICE_CHANGED: [409, false],
  KEY_REUSED: [422, false],
  RATE_LIMITED: [429, true],
  OVERLOADED: [503, true],
  UNAVAILABLE: [503, true],
  NOT_FOUND: [404, false],
  INTERNAL: [500, true],
};
const WITHOUT_DETAILS = Symbol('without details');
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Attempt {
  by: Person;
  message: string;
  request: Record<string, unknown>;
}

/** The message's HTTP route, with the same fields. */
function overHttp({ by, message, request }: Attempt): Promise<HttpAnswer<Failure>> {
  const { orderId, ...rest } = request;
  const verb = message.split(':')[1] ?? '';
  if (message === 'order:place') return by.post('/orders', request);
  if (message === 'order:get') return by.get(`/orders/${orderId}`);
  if (message === 'order:list') return by.get(`/orders?${new URLSearchParams(rest as Record<string, string>)}`);
  if (message === 'room:read') return by.get(`/rooms/${request.role}/events?after=${request.after}`);
  return by.post(`/orders/${orderId}/${verb}`, rest);
}

async function overSocket({ by, message, request }: Attempt): Promise<ErrorBody> {
  const answer = await by.sendRaw(message, request);
  if (answer.ok) throw new Error(`${message} was not rejected`);
  expect(Object.keys(answer).sort()).toEqual(['error', 'ok']);
  return answer.error;
}

/** Checks the error's shape against the table; its message is an English sentence that leaks no internals. */
function expectError(error: ErrorBody, code: ErrorCode, details: unknown = WITHOUT_DETAILS): void {
  const [, retryable] = TABLE[code];
  expect(error).toEqual({
    code,
    message: expect.stringMatching(/^[A-Z][A-Za-z ,;'’.-]+\.$/),
    retryable,
    ...(details === WITHOUT_DETAILS ? {} : { details }),
  });
  expect(error.message).not.toMatch(/select|insert|update|sqlite|mysql|node_modules|\.ts|\.js|undefined|null/i);
}

function expectHttpError({ status, body }: HttpAnswer<Failure>, code: ErrorCode, details?: unknown): void {
  expect([status, Object.keys(body)]).toEqual([TABLE[code][0], ['error']]);
  expectError(body.error, code, details);
}

const provoked = new Set<ErrorCode>();

describe('every error code', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let unregistered: Person;
  const order = async (...steps: ('order:pay' | 'order:ship')[]) => {
    const { orderId } = await buyer.place(seller);
    for (const step of steps) await (step === 'order:ship' ? seller : buyer).does(step, { orderId });
    return orderId;
  };
  const clerk = async () => {
    const person = await hub.person();
    await seller.post('/staff', { userId: person.userId, rights: ['read', 'sell'] });
    person.actingFor = seller.userId;
    return person.connect();
  };
  const placing = (fields: Record<string, unknown> = {}, by = buyer): Attempt => ({
    by,
    message: 'order:place',
    request: { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], ...fields },
  });

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 10_000 }, { stock: 3 }, { price: 5_000_000 }]);
    buyer = await hub.buyer(1_000_000);
    unregistered = await hub.seller();
    await unregistered.post('/auth/unregister', { password: PASSWORD });
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  test('has the status and retryability of the contract', () => {
    const table = Object.entries(errorTypes).map(([code, { status, retryable }]) => [code, [status, retryable]]);
    expect(Object.fromEntries(table)).toEqual(TABLE);
  });

  const overBothTransports: [ErrorCode, string, () => Promise<[Attempt, details?: unknown]>][] = [
    [
      'BAD_MESSAGE',
      'an invalid field',
      async () => [
        placing({ items: [{ bookId: 'book-1', count: 0 }] }),
        [{ path: 'items.0.count', problem: expect.any(String) }],
      ],
    ],
    [
      'BAD_MESSAGE',
      'a total beyond 2^53−1',
      async () => {
        const rich = await hub.seller([{ price: 10 ** 12, stock: 10_000 }]);
        const items = [{ bookId: 'book-1', count: 9_008 }];
        return [placing({ storeId: rich.storeId, items }), [{ path: 'items', problem: expect.any(String) }]];
      },
    ],
    [
      'UNKNOWN_MESSAGE',
      'an unknown message',
      async () => [{ by: buyer, message: 'order:steal', request: { orderId: await order() } }],
    ],
    ['FORBIDDEN', "an order in one's own store", async () => [placing({}, seller)]],
    [
      'FORBIDDEN',
      'a command of the other party',
      async () => [{ by: seller, message: 'order:pay', request: { orderId: await order() } }],
    ],
    [
      'FORBIDDEN',
      "a stranger's command",
      async () => [{ by: await hub.person(), message: 'order:cancel', request: { orderId: await order() } }],
    ],
    [
      'FORBIDDEN',
      "a stranger's read",
      async () => [{ by: await hub.person(), message: 'order:get', request: { orderId: await order() } }],
    ],
    [
      'USER_NOT_FOUND',
      'a store whose owner has unregistered',
      async () => [placing({ storeId: unregistered.storeId })],
    ],
    ['STORE_NOT_FOUND', 'an unknown store', async () => [placing({ storeId: 'nowhere' })]],
    [
      'BOOK_NOT_FOUND',
      'an unknown book',
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
      'STORE_PAUSED',
      'a store that is closed',
      async () => {
        const closed = await hub.seller();
        await closed.patch(`/stores/${closed.storeId}`, { open: false });
        return [placing({ storeId: closed.storeId }), { until: null }];
      },
    ],
    [
      'STORE_PAUSED',
      'a store that is paused',
      async () => {
        const paused = await hub.seller();
        await paused.patch(`/stores/${paused.storeId}`, { pausedUntil: '2999-01-01T00:00:00.000Z' });
        return [placing({ storeId: paused.storeId }), { until: '2999-01-01T00:00:00.000Z' }];
      },
    ],
    [
      'OUT_OF_STOCK',
      'more copies than are in stock',
      async () => [placing({ items: [{ bookId: 'book-2', count: 4 }] }), { bookId: 'book-2', wanted: 4, available: 3 }],
    ],
    [
      'ORDER_NOT_FOUND',
      'a command on an unknown order',
      async () => [{ by: buyer, message: 'order:pay', request: { orderId: 'unknown' } }],
    ],
    [
      'ORDER_NOT_FOUND',
      'a read of an unknown order',
      async () => [{ by: buyer, message: 'order:get', request: { orderId: '01900000-0000-7000-8000-000000000000' } }],
    ],
    [
      'ORDER_STATE',
      'receiving an order before it is shipped',
      async () => [
        { by: buyer, message: 'order:receive', request: { orderId: await order() } },
        { status: 'placed', allowed: ['pay', 'cancel'] },
      ],
    ],
    [
      'ORDER_STATE',
      'cancelling a shipped order',
      async () => [
        { by: buyer, message: 'order:cancel', request: { orderId: await order('order:pay', 'order:ship') } },
        { status: 'shipped', allowed: ['receive'] },
      ],
    ],
    [
      'CLAIMED',
      'an order on which another member of the staff works',
      async () => {
        const [one, other] = [await clerk(), await clerk()];
        const orderId = await order('order:pay');
        const { claim } = await one.does('order:claim', { orderId, seconds: 60 });
        return [{ by: other, message: 'order:ship', request: { orderId } }, claim];
      },
    ],
    [
      'INSUFFICIENT_FUNDS',
      'a buyer without the money',
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
      'a seller who cancels without the money',
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
      'placing at another total',
      async () => [placing({ expectedTotal: 999 }), { expected: 999, actual: 1_000 }],
    ],
    [
      'PRICE_CHANGED',
      'paying another total',
      async () => [
        { by: buyer, message: 'order:pay', request: { orderId: await order(), expectedTotal: 1_001 } },
        { expected: 1_001, actual: 1_000 },
      ],
    ],
    [
      'KEY_REUSED',
      'a key stored with another message',
      async () => {
        const key = hub.name('key');
        await buyer.does('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 2 }], key });
        return [placing({ key })];
      },
    ],
  ];

  test.each(overBothTransports)(
    '%s is one error over both transports and changes nothing: %s',
    async (code, _, provoke) => {
      const [attempt, details] = await provoke();
      const before = await contents(hub);
      const error = await overSocket(attempt);
      expectError(error, code, details);
      const answer = await overHttp(attempt);
      expectHttpError(answer, code, details);
      expect(answer.body.error).toEqual(error);
      expect(await contents(hub)).toEqual(before);
      provoked.add(code);
    },
  );

  const overHttpOnly: [ErrorCode, string, unknown, () => Promise<HttpAnswer<Failure>>][] = [
    [
      'USER_EXISTS',
      'a user who already exists',
      WITHOUT_DETAILS,
      () => buyer.post('/auth/register', { userId: seller.userId, password: PASSWORD }),
    ],
    [
      'NOT_FOUND',
      'an API key that the caller does not have',
      { what: 'key' },
      () => buyer.request('DELETE', '/auth/keys/unknown', undefined, {}),
    ],
    [
      'STORE_EXISTS',
      'a store that already exists',
      WITHOUT_DETAILS,
      () => buyer.post('/stores', { storeId: seller.storeId }),
    ],
    [
      'BOOK_EXISTS',
      'a book that already exists',
      { bookId: 'book-1' },
      () => seller.post(`/stores/${seller.storeId}/books`, { bookId: 'book-1', title: 'Again', price: 1, stock: 1 }),
    ],
  ];
  test.each(overHttpOnly)('%s rejects %s', async (code, _, details, provoke) => {
    expectHttpError(await provoke(), code, details);
    provoked.add(code);
  });

  test('UNAUTHENTICATED rejects a bad token over both transports', async () => {
    const impostor = new Person(hub, 'impostor', 'A'.repeat(43));
    expectHttpError(await overHttp(placing({}, impostor)), 'UNAUTHENTICATED');
    const { error } = await knock(hub, { token: impostor.token });
    expect(error?.message).toBe('UNAUTHENTICATED');
    expectError(error?.data as ErrorBody, 'UNAUTHENTICATED');
    expectHttpError(await stranger(hub).get<Failure>('/wallet'), 'UNAUTHENTICATED');
    provoked.add('UNAUTHENTICATED');
  });

  test('INTERNAL carries an error id for the log, and its key can succeed later', async () => {
    const keys = [hub.name('key'), hub.name('key')];
    const orderId = await order();
    await hub.database.writer.query('ALTER TABLE rooms RENAME TO mislaid_rooms');
    await hub.database.writer.query('ALTER TABLE orders RENAME TO mislaid_orders');
    try {
      const details = { errorId: expect.stringMatching(UUID) };
      expectError(await overSocket(placing({ key: keys[0] })), 'INTERNAL', details);
      expectHttpError(await overHttp(placing({ key: keys[1] })), 'INTERNAL', details);
      const reading = { by: buyer, message: 'order:get', request: { orderId } };
      expectError(await overSocket(reading), 'INTERNAL', details);
      expectHttpError(await overHttp(reading), 'INTERNAL', details);
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

  test('UNAVAILABLE rejects commands over both transports during shutdown, without effect', async () => {
    const closing = await TestHub.start();
    try {
      const shop = await closing.seller();
      const visitor = await closing.buyer();
      await visitor.connect();
      closing.hub.app.get(SocketRegistry).drain();
      const attempt: Attempt = {
        by: visitor,
        message: 'order:place',
        request: { storeId: shop.storeId, items: [{ bookId: 'book-1', count: 1 }] },
      };
      expectError(await overSocket(attempt), 'UNAVAILABLE');
      expectError(await overSocket({ by: visitor, message: 'order:list', request: { role: 'buyer' } }), 'UNAVAILABLE');
      const { error } = await knock(closing, { token: visitor.token });
      expectError(error?.data as ErrorBody, 'UNAVAILABLE');
      expect(await closing.rows('SELECT * FROM orders')).toEqual([]);
      expectHttpError(await overHttp(attempt), 'UNAVAILABLE');
      expect(await closing.rows('SELECT * FROM orders')).toEqual([]);
    } finally {
      await closing.stop();
    }
    provoked.add('UNAVAILABLE');
  });

  test('is provoked here, except the two that need load', () => {
    const underLoad: ErrorCode[] = ['RATE_LIMITED', 'OVERLOADED'];
    expect([...provoked, ...underLoad].sort()).toEqual(Object.keys(TABLE).sort());
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a hub without its database', () => {
  test('answers UNAVAILABLE over both transports and is live but not ready', async () => {
    const hub = await TestHub.start();
    const writer = hub.database.writer;
    try {
      const seller = await hub.seller();
      const buyer = await hub.buyer();
      await buyer.connect();
      const attempt = {
        by: buyer,
        message: 'order:place',
        request: { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] },
      };
      await hub.database.close();
      expectError(await overSocket(attempt), 'UNAVAILABLE');
      expectError(await overSocket({ by: buyer, message: 'order:list', request: { role: 'buyer' } }), 'UNAVAILABLE');
      expectHttpError(await overHttp(attempt), 'UNAVAILABLE');
      expectHttpError(await stranger(hub).get<Failure>('/books'), 'UNAVAILABLE');
      const { error } = await knock(hub, { token: buyer.token });
      expectError(error?.data as ErrorBody, 'UNAVAILABLE');
      expect((await stranger(hub).get('/health/ready')).status).toBe(503);
      expect((await stranger(hub).get('/health/live')).status).toBe(200);
    } finally {
      // Stopping the hub closes the database a second time.
      if (!writer.isInitialized) await writer.initialize();
      if (!hub.database.read.connection.isInitialized) await hub.database.read.connection.initialize();
      await hub.stop();
    }
  });
});

describe('a socket message', () => {
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

  /** The `order:error` pushes a socket receives for messages sent without an acknowledgement. */
  function failuresOf(person: Person): { message: string; error: ErrorBody }[] {
    const failures: { message: string; error: ErrorBody }[] = [];
    (person.socket as unknown as Socket).on('order:error', (failure) => failures.push(failure));
    return failures;
  }

  /** Sends a raw frame that the Socket.IO client would not encode. */
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
    'a name longer than any other'.repeat(5),
    5,
    0,
    -1.5,
  ])('named %j is UNKNOWN_MESSAGE', async (rawName) => {
    // The Socket.IO protocol allows numeric event names; the client's types do not.
    const name = rawName as string;
    for (const payload of [[], [{}], [{ orderId: 'x' }, 2, 3]]) {
      const answer = await buyer.sendRaw(name, ...payload);
      expect(answer).toEqual({ ok: false, error: expect.any(Object) });
      if (!answer.ok) expectError(answer.error, 'UNKNOWN_MESSAGE');
    }
  });

  const oddPayloads: [string, unknown[]][] = [
    ['two arguments', [{}, {}]],
    ['five arguments', [1, 2, 3, 4, 5]],
    ['no argument', []],
    ['null', [null]],
    ['a string', ['order']],
    ['a number', [7]],
    ['a boolean', [true]],
    ['a list', [[{ orderId: 'x' }]]],
    ['an empty list', [[]]],
    ['bytes', [Buffer.from('{"orderId": "x"}')]],
    ['bytes in an unlisted field', [{ surprise: Buffer.from('x') }]],
    ['an unlisted field', [{ surprise: 1 }]],
    ['__proto__ as a field', [JSON.parse('{"__proto__": {"orderId": "x"}}')]],
    ['33 nested objects', [JSON.parse(`${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`)]],
    ['33 nested lists', [JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`)]],
  ];
  test.each(oddPayloads)('with %s is BAD_MESSAGE', async (_, payload) => {
    for (const message of MESSAGES) {
      const answer = await buyer.sendRaw(message, ...payload);
      expect(answer).toEqual({ ok: false, error: expect.any(Object) });
      if (!answer.ok) expectError(answer.error, 'BAD_MESSAGE', expect.any(Array));
    }
  });

  test('of 6,000 nested lists is BAD_MESSAGE and keeps the connection', async () => {
    const attacker = await hub.person();
    await attacker.connect();
    const failures = failuresOf(attacker);
    for (const message of MESSAGES) sendFrame(attacker, `2["${message}",${'['.repeat(6_000)}${']'.repeat(6_000)}]`);
    await until('all failures are pushed', () => failures.length >= MESSAGES.length);
    expect(failures.map(({ message }) => message)).toEqual(MESSAGES);
    for (const { error } of failures) expectError(error, 'BAD_MESSAGE', [{ path: '', problem: expect.any(String) }]);
    expect(attacker.socket?.connected).toBe(true);
  });

  test('of 12 KB of opening brackets does not affect other connections', async () => {
    const attacker = await hub.person();
    await attacker.connect();
    sendFrame(attacker, `2["order:get",${'['.repeat(12_288)}`);
    sendFrame(attacker, '['.repeat(12_288));
    expect(await buyer.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
    await attacker.connect();
    expect(await attacker.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
  });

  test('is rejected with the path of each faulty field', async () => {
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

  test('is rejected with all its faults and without an echo of its values', async () => {
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

  test('is answered in the order sent, whatever preceded it on the socket', async () => {
    const order: number[] = [];
    const sends = [
      ['order:steal', {}],
      ['order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] }],
      ['order:list', { role: 'buyer' }],
      ['order:get', null],
      ['order:pay', { orderId: 'unknown' }],
      ['room:read', { role: 'buyer', after: 0 }],
    ].map(([message, payload], index) => buyer.sendRaw(`${message}`, payload).then(() => order.push(index)));
    await Promise.all(sends);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('without an acknowledgement is executed, and its failure pushed as order:error', async () => {
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
    await until('all failures are pushed', () => failures.length >= 5);
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

  test('of more than 64 KB disconnects its socket only', async () => {
    const loud = await hub.person();
    await loud.connect();
    const padding = (bytes: number) => ({ orderId: 'x', padding: 'x'.repeat(bytes) });
    const answer = await loud.sendRaw('order:get', padding(65_000));
    expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    (loud.socket as unknown as Socket).emit('order:get', padding(66_000));
    await until('the socket is disconnected', () => loud.socket?.connected === false);
    expect(await buyer.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
  });

  test('leaves the hub ready and the audit clean', async () => {
    expect((await buyer.get('/health/ready')).status).toBe(200);
    expect(await audit(hub)).toEqual([]);
  });
});
