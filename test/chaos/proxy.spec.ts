import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { listen } from '../support/event.recorder.js';
import { TestHub, until } from '../support/hub.js';
import { TcpProxy } from '../support/proxy.js';
import { CommitCuts, WakeupDrops } from '../support/proxy.streams.js';
import { range } from '../support/ways.js';

/** A TCP server that records what it receives per connection and answers as the test wants. */
class TestServer {
  readonly sockets: Socket[] = [];
  readonly received: string[] = [];
  private constructor(private readonly server: Server) {}

  static async open(answer: (text: string, socket: Socket) => void = () => {}): Promise<TestServer> {
    const server = createServer((socket) => {
      const index = opened.sockets.push(socket) - 1;
      opened.received[index] = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        opened.received[index] += chunk.toString('latin1');
        answer(chunk.toString('latin1'), socket);
      });
    });
    const opened = new TestServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return opened;
  }

  url(scheme: string): string {
    return `${scheme}://me:secret@127.0.0.1:${(this.server.address() as AddressInfo).port}/there`;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** A TCP client that records what it receives and whether its connection was cut. */
class TestClient {
  received = '';
  isCut = false;
  private constructor(private readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    socket.once('close', () => {
      this.isCut = true;
    });
  }

  static async connect(url: string): Promise<TestClient> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const client = new TestClient(socket);
    await once(socket, 'connect');
    return client;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  destroy(): void {
    this.socket.destroy();
  }

  receives(text: string): Promise<void> {
    return until(`the client receives ${JSON.stringify(text)}`, () => this.received === text);
  }
}

const echo = (text: string, socket: Socket) => void socket.write(text.toUpperCase(), 'latin1');

describe('a connection through the proxy', () => {
  let server: TestServer;
  let proxy: TcpProxy;
  const clients: TestClient[] = [];

  beforeEach(async () => {
    server = await TestServer.open(echo);
    proxy = await TcpProxy.before(server.url('tcp'));
    await proxy.open();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    server.close();
  });

  const connectClient = async (): Promise<TestClient> => {
    const client = await TestClient.connect(proxy.url);
    clients.push(client);
    return client;
  };
  const connectAndGreet = async (): Promise<TestClient> => {
    const client = await connectClient();
    client.send('hello ');
    await client.receives('HELLO ');
    return client;
  };

  test('uses the URL of its target with another host and port, and keeps its port', async () => {
    const { url } = proxy;
    expect(new URL(url)).toMatchObject({ protocol: 'tcp:', username: 'me', password: 'secret', pathname: '/there' });
    expect(new URL(url).port).not.toBe(new URL(server.url('tcp')).port);
    await proxy.close();
    await proxy.open();
    expect(proxy.url).toBe(url);
    await connectAndGreet();
  });

  test('is cut and refused once the proxy is closed', async () => {
    const client = await connectAndGreet();
    await proxy.close();
    await until('the client is cut', () => client.isCut);
    await expect(connectClient()).rejects.toThrow(/ECONNREFUSED/);
    await proxy.open();
    await connectAndGreet();
  });

  test('can be reopened after a cut', async () => {
    const both = [await connectAndGreet(), await connectAndGreet()];
    expect(proxy.connections).toBe(2);
    proxy.cutAll();
    await until('both are cut', () => both.every(({ isCut }) => isCut));
    await until('both connections are gone', () => proxy.connections === 0);
    await connectAndGreet();
  });

  test('forwards a disconnect to the other end', async () => {
    const client = await connectAndGreet();
    let hasClosed = false;
    server.sockets[0]?.once('close', () => {
      hasClosed = true;
    });
    client.destroy();
    await until('the server sees the disconnect', () => hasClosed);
    const other = await connectAndGreet();
    server.sockets[1]?.end('bye', 'latin1');
    await until('the other client sees the disconnect', () => other.isCut);
    expect(other.received).toBe('HELLO bye');
  });

  test('delivers nothing while frozen and stays open; after a thaw, everything arrives in order', async () => {
    const client = await connectAndGreet();
    proxy.freeze();
    client.send('one ');
    const late = await connectClient();
    late.send('two');
    server.sockets[0]?.write('from the server ');
    const control = await TestServer.open(echo);
    const controlClient = await TestClient.connect(control.url('tcp'));
    for (const word of ['a', 'b', 'c']) controlClient.send(word);
    await controlClient.receives('ABC');
    control.close();
    expect([server.received[0], client.received, late.received]).toEqual(['hello ', 'HELLO ', '']);
    expect([client.isCut, late.isCut]).toEqual([false, false]);
    proxy.thaw();
    await client.receives('HELLO from the server ONE ');
    await late.receives('TWO');
  });

  test('loses all data for good while blackholed, without being cut', async () => {
    const client = await connectAndGreet();
    const [accepted] = server.sockets;
    proxy.blackhole();
    client.send('lost ');
    accepted?.write('lost too');
    const late = await connectClient();
    late.send('lost as well');
    proxy.heal();
    const next = await connectAndGreet();
    next.send('again');
    await next.receives('HELLO AGAIN');
    expect([client.received, late.received]).toEqual(['HELLO ', '']);
    expect([client.isCut, late.isCut]).toEqual([false, false]);
    expect(server.received).toEqual(['hello ', 'hello again']);
    client.destroy();
    next.destroy();
    await until('the server sees the second disconnect', () => server.sockets[1]?.destroyed === true);
    expect(accepted?.destroyed).toBe(false);
  });

  test('delivers everything late and in order while delayed, and fast again afterwards', async () => {
    const client = await connectAndGreet();
    proxy.delay(150);
    const started = performance.now();
    for (const index of range(20)) client.send(`${index} `);
    await client.receives(`HELLO ${range(20).join(' ')} `);
    // The delay applies in both directions; timers may fire slightly early.
    expect(performance.now() - started).toBeGreaterThan(2 * 150 - 10);
    proxy.delay(0);
    client.send('quick');
    await client.receives(`HELLO ${range(20).join(' ')} QUICK`);
  });

  test('delivers everything slowly and in order while throttled', async () => {
    const client = await connectAndGreet();
    proxy.throttle(200_000);
    const text = range(10_000).join(' ');
    client.send(text);
    await until('the first bytes arrive', () => client.received.length > 'HELLO '.length);
    expect(client.received.length).toBeLessThan(text.length);
    await client.receives(`HELLO ${text}`);
  });
});

/** A packet of the MySQL protocol. */
function packet(payload: string, sequence = 0): string {
  const header = Buffer.alloc(4);
  header.writeUIntLE(Buffer.byteLength(payload, 'latin1'), 0, 3);
  header[3] = sequence;
  return header.toString('latin1') + payload;
}
const query = (sql: string) => packet(`\x03${sql}`);

describe('a connection to a database', () => {
  let server: TestServer;
  let proxy: TcpProxy;
  const clients: TestClient[] = [];

  beforeEach(async () => {
    // Answers OK to the login and to every statement.
    server = await TestServer.open((text, socket) => {
      const packets = text.replace('login', '\x03').split('\x03').length - 1;
      socket.write('OK '.repeat(packets));
    });
    proxy = await TcpProxy.before(server.url('mysql'));
    await proxy.open();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    server.close();
  });

  const login = async (): Promise<TestClient> => {
    const client = await TestClient.connect(proxy.url);
    clients.push(client);
    client.send(packet('login', 1));
    await client.receives('OK ');
    return client;
  };
  const batchLogInsert = query('INSERT INTO hub_batches (node_id) VALUES (1)');

  test('is cut before the COMMIT of a batch reaches the server, after everything before it', async () => {
    const client = await login();
    const cut = proxy.cutAtCommit('before');
    client.send(query('START TRANSACTION') + batchLogInsert + query('COMMIT') + query('SELECT 1'));
    await cut;
    await until('the client is cut', () => client.isCut);
    await until('the server has the insert', () => (server.received[0] ?? '').includes('hub_batches'));
    expect(server.received[0]).not.toContain('COMMIT');
    expect(server.received[0]).not.toContain('SELECT 1');
  });

  test('is cut after the server has executed the COMMIT of a batch, before its answer arrives', async () => {
    const client = await login();
    client.send(query('START TRANSACTION') + batchLogInsert);
    await client.receives('OK OK OK ');
    const cut = proxy.cutAtCommit('after');
    client.send(query('COMMIT'));
    await cut;
    await until('the client is cut', () => client.isCut);
    expect(server.received[0]).toContain('COMMIT');
    expect(client.received).toBe('OK OK OK ');
  });

  test('is cut once per request, at the requested COMMIT', async () => {
    const third = proxy.cutAtCommit('before', 3);
    const fourth = proxy.cutAtCommit('after');
    const client = await login();
    const batch = query('START TRANSACTION') + batchLogInsert + query('COMMIT');
    client.send(batch);
    await client.receives('OK OK OK OK ');
    client.send(batch);
    await client.receives('OK '.repeat(7));
    client.send(batch);
    await third;
    await until('the client is cut', () => client.isCut);
    const next = await login();
    next.send(batch);
    await fourth;
    await until('the next is cut', () => next.isCut);
    const last = await login();
    last.send(batch);
    await last.receives('OK OK OK OK ');
    expect(last.isCut).toBe(false);
  });

  test('is not cut at anything that only resembles the COMMIT of a batch', async () => {
    const client = await login();
    let isCut = false;
    void proxy.cutAtCommit('before').then(() => {
      isCut = true;
    });
    const others = [
      query('START TRANSACTION') + query('UPDATE stores SET name = 1') + query('COMMIT'),
      batchLogInsert + query('ROLLBACK') + query('COMMIT'),
      query('SELECT "INSERT INTO hub_batches"') + query('COMMIT'),
      batchLogInsert + query('COMMIT AND CHAIN') + query('ROLLBACK'),
    ];
    let answers = 1;
    for (const other of others) {
      client.send(other);
      answers += other.split('\x03').length - 1;
      await client.receives('OK '.repeat(answers));
    }
    expect([client.isCut, isCut]).toEqual([false, false]);
    client.send(batchLogInsert + query('COMMIT'));
    await until('it is cut at the real one', () => isCut);
  });

  test.each([
    ['MariaDB', ''],
    ['MySQL, with attributes', '\x00\x01'],
  ])('is parsed correctly however its packets are split: %s', (_, attributes) => {
    const withAttributes = (sql: string) => query(attributes + sql);
    const batch =
      withAttributes('START TRANSACTION') +
      withAttributes('INSERT INTO hub_batches (node_id) VALUES (1)') +
      withAttributes('COMMIT');
    const text = packet('login', 1) + batch + withAttributes('SELECT 1');
    for (const size of range(40).map((index) => index + 1)) {
      const cuts = new CommitCuts();
      void cuts.next('before', 1);
      const streams = cuts.streams();
      let passed = '';
      let isCut = false;
      for (let start = 0; start < text.length && !isCut; start += size) {
        const { pass, cut = false } = streams.toServer(Buffer.from(text.slice(start, start + size), 'latin1'));
        passed += pass.toString('latin1');
        isCut = cut;
      }
      expect([size, isCut, passed]).toEqual([size, true, text.slice(0, text.indexOf(withAttributes('COMMIT')))]);
    }
  });

  test('cannot be cut at a COMMIT unless the target is a database', async () => {
    const other = await TcpProxy.before('redis://127.0.0.1:1');
    expect(() => other.cutAtCommit('before')).toThrow(/no COMMITs/);
  });
});

/** Redis output: a greeting with a map, wakeups, a message of another channel, and answers to pings. */
const WAKEUP_2 = '*3\r\n$7\r\nmessage\r\n$15\r\norder-hub:hints\r\n$0\r\n\r\n';
const WAKEUP_3 = '>3\r\n$7\r\nmessage\r\n$15\r\norder-hub:hints\r\n$0\r\n\r\n';
const OTHERS = [
  '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n',
  '>3\r\n$9\r\nsubscribe\r\n$15\r\norder-hub:hints\r\n:1\r\n',
  '>3\r\n$7\r\nmessage\r\n$16\r\norder-hub:others\r\n$4\r\na\r\nb\r\n',
  '+PONG\r\n',
  '$-1\r\n',
  '*2\r\n*1\r\n_\r\n,1.5\r\n',
];

describe('a connection to Redis', () => {
  test.each([
    ['all', 1, 0],
    ['none', 0, 4],
    ['every other one', 0.5, 2],
  ])('loses %s of the wakeups and nothing else, however its bytes are split', (_, share, left) => {
    const [greeting = '', subscribed = '', other = '', ...answers] = OTHERS;
    const text = greeting + subscribed + WAKEUP_3 + other + WAKEUP_2 + WAKEUP_3 + answers.join('') + WAKEUP_3;
    for (const size of [1, 2, 3, 7, 20, 1_000]) {
      let call = 0;
      const drops = new WakeupDrops(share, () => (call++ % 2 === 0 ? 0.2 : 0.8));
      const streams = drops.streams();
      let passed = '';
      for (let start = 0; start < text.length; start += size)
        passed += streams.toClient(Buffer.from(text.slice(start, start + size), 'latin1')).pass.toString('latin1');
      expect(passed.split('message\r\n$15').length - 1).toBe(left);
      expect(passed.replaceAll(WAKEUP_2, '').replaceAll(WAKEUP_3, '')).toBe(OTHERS.join(''));
      expect([drops.seen, drops.dropped]).toEqual([4, 4 - left]);
    }
  });

  test('loses wakeups on the way to a subscriber', async () => {
    const server = await TestServer.open();
    const proxy = await TcpProxy.before(server.url('redis'));
    await proxy.open();
    const drops = proxy.dropWakeups(1, () => 0);
    const client = await TestClient.connect(proxy.url);
    await until('the client is connected', () => server.sockets.length === 1);
    server.sockets[0]?.write(WAKEUP_3 + OTHERS.join(''));
    await client.receives(OTHERS.join(''));
    expect(drops.dropped).toBe(1);
    client.destroy();
    await proxy.close();
    server.close();
  });
});

describe('a connection to a hub', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('loses truncated acknowledgements, and a retry after reconnecting replays them', async () => {
    const proxy = await TcpProxy.before(hub.url);
    await proxy.open();
    const [seller, buyer] = [await hub.seller([{ stock: 100 }]), await hub.buyer()];
    let call = 0;
    const cuts = proxy.cutAcks(0.5, () => (call++ % 2 === 0 ? 0.9 : 0.1));
    const through = { url: proxy.url } as TestHub;
    let lastSeq = 0;
    for (const index of range(6)) {
      const { at } = await listen(buyer, { buyer: lastSeq }, through);
      const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: `cut-${index}` };
      const acknowledged = await at.send('order:place', message);
      expect(acknowledged).toMatchObject({ ok: true, seq: 2 * index + 1 });
      await at.hears(1);
      lastSeq += at.events.length;
      // Every other acknowledgement is cut, along with the socket.
      await expect(at.send('order:place', { ...message, key: `lost-${index}` })).rejects.toThrow(/disconnected/);
      expect(at.socket?.connected).toBe(false);
      lastSeq = at.events.at(-1)?.seq ?? 0;
    }
    expect([cuts.cuts, cuts.seen]).toEqual([6, 12]);

    const { at } = await listen(buyer, { buyer: lastSeq });
    for (const index of range(6)) {
      const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: `lost-${index}` };
      expect(await at.send('order:place', message)).toMatchObject({ ok: true, replayed: true, seq: 2 * index + 2 });
    }
    expect(await seller.stock()).toBe(88);
    await proxy.close();
    expect(await audit(hub)).toEqual([]);
  });
});
