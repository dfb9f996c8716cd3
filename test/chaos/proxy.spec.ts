import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { listen } from '../support/ear.js';
import { TestHub, until } from '../support/hub.js';
import { TcpProxy } from '../support/proxy.js';
import { CommitCuts, HintDrops } from '../support/proxy.streams.js';
import { range } from '../support/ways.js';

/** A server that remembers what it was told on each connection, and says what a test makes it say. */
class Station {
  readonly sockets: Socket[] = [];
  readonly heard: string[] = [];
  private constructor(private readonly server: Server) {}

  static async open(answer: (text: string, socket: Socket) => void = () => {}): Promise<Station> {
    const server = createServer((socket) => {
      const index = station.sockets.push(socket) - 1;
      station.heard[index] = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        station.heard[index] += chunk.toString('latin1');
        answer(chunk.toString('latin1'), socket);
      });
    });
    const station = new Station(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return station;
  }

  url(scheme: string): string {
    return `${scheme}://me:secret@127.0.0.1:${(this.server.address() as AddressInfo).port}/there`;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** One end of a line: what it heard, and whether it was cut off. */
class Caller {
  heard = '';
  isCut = false;
  private constructor(private readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.heard += chunk.toString('latin1');
    });
    socket.once('close', () => {
      this.isCut = true;
    });
  }

  static async call(url: string): Promise<Caller> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const caller = new Caller(socket);
    await once(socket, 'connect');
    return caller;
  }

  say(text: string): void {
    this.socket.write(text, 'latin1');
  }

  leave(): void {
    this.socket.destroy();
  }

  hears(text: string): Promise<void> {
    return until(`the caller hears ${JSON.stringify(text)}`, () => this.heard === text);
  }
}

const echo = (text: string, socket: Socket) => void socket.write(text.toUpperCase(), 'latin1');

describe('a line through the proxy', () => {
  let station: Station;
  let proxy: TcpProxy;
  const callers: Caller[] = [];

  beforeEach(async () => {
    station = await Station.open(echo);
    proxy = await TcpProxy.before(station.url('tcp'));
    await proxy.open();
  });
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.leave();
    await proxy.close();
    station.close();
  });

  const call = async (): Promise<Caller> => {
    const caller = await Caller.call(proxy.url);
    callers.push(caller);
    return caller;
  };
  const called = async (): Promise<Caller> => {
    const caller = await call();
    caller.say('hello ');
    await caller.hears('HELLO ');
    return caller;
  };

  test('has the address of what it stands before, but for host and port, and keeps its port', async () => {
    const { url } = proxy;
    expect(new URL(url)).toMatchObject({ protocol: 'tcp:', username: 'me', password: 'secret', pathname: '/there' });
    expect(new URL(url).port).not.toBe(new URL(station.url('tcp')).port);
    await proxy.close();
    await proxy.open();
    expect(proxy.url).toBe(url);
    await called();
  });

  test('that is closed lets nobody through, and cuts who was through', async () => {
    const caller = await called();
    await proxy.close();
    await until('the caller is cut off', () => caller.isCut);
    await expect(call()).rejects.toThrow(/ECONNREFUSED/);
    await proxy.open();
    await called();
  });

  test('that was cut is open for the next', async () => {
    const lines = [await called(), await called()];
    expect(proxy.connections).toBe(2);
    proxy.cutAll();
    await until('both are cut off', () => lines.every(({ isCut }) => isCut));
    await until('both lines are gone', () => proxy.connections === 0);
    await called();
  });

  test('tells the one end that the other has left', async () => {
    const caller = await called();
    let hasLeft = false;
    station.sockets[0]?.once('close', () => {
      hasLeft = true;
    });
    caller.leave();
    await until('the station hears that the caller has left', () => hasLeft);
    const other = await called();
    station.sockets[1]?.end('bye', 'latin1');
    await until('the other caller hears that the station has left', () => other.isCut);
    expect(other.heard).toBe('HELLO bye');
  });

  test('that is frozen holds everything back, and cuts nobody; thawed, all arrives in its order', async () => {
    const caller = await called();
    proxy.freeze();
    caller.say('one ');
    const late = await call();
    late.say('two');
    station.sockets[0]?.write('from the station ');
    const witness = await Station.open(echo);
    const beside = await Caller.call(witness.url('tcp'));
    for (const word of ['a', 'b', 'c']) beside.say(word);
    await beside.hears('ABC');
    witness.close();
    expect([station.heard[0], caller.heard, late.heard]).toEqual(['hello ', 'HELLO ', '']);
    expect([caller.isCut, late.isCut]).toEqual([false, false]);
    proxy.thaw();
    await caller.hears('HELLO from the station ONE ');
    await late.hears('TWO');
  });

  test('that is a black hole swallows what comes, tells nobody, and never gives it back', async () => {
    const caller = await called();
    const [atStation] = station.sockets;
    proxy.blackhole();
    caller.say('lost ');
    atStation?.write('lost too');
    const late = await call();
    late.say('lost as well');
    proxy.heal();
    const next = await called();
    next.say('again');
    await next.hears('HELLO AGAIN');
    expect([caller.heard, late.heard]).toEqual(['HELLO ', '']);
    expect([caller.isCut, late.isCut]).toEqual([false, false]);
    expect(station.heard).toEqual(['hello ', 'hello again']);
    caller.leave();
    next.leave();
    await until('the station hears that the second has left', () => station.sockets[1]?.destroyed === true);
    expect(atStation?.destroyed).toBe(false);
  });

  test('that is slow gives everything later and in its order, and then is quick again', async () => {
    const caller = await called();
    proxy.delay(150);
    const begun = performance.now();
    for (const index of range(20)) caller.say(`${index} `);
    await caller.hears(`HELLO ${range(20).join(' ')} `);
    // Once on the way there and once on the way back; timers may ring a little early.
    expect(performance.now() - begun).toBeGreaterThan(2 * 150 - 10);
    proxy.delay(0);
    caller.say('quick');
    await caller.hears(`HELLO ${range(20).join(' ')} QUICK`);
  });

  test('that is narrow lets everything through by and by, whole and in its order', async () => {
    const caller = await called();
    proxy.throttle(200_000);
    const text = range(10_000).join(' ');
    caller.say(text);
    await until('something has come back', () => caller.heard.length > 'HELLO '.length);
    expect(caller.heard.length).toBeLessThan(text.length);
    await caller.hears(`HELLO ${text}`);
  });
});

/** Packets as a client of the MySQL protocol sends them. */
function packet(payload: string, sequence = 0): string {
  const header = Buffer.alloc(4);
  header.writeUIntLE(Buffer.byteLength(payload, 'latin1'), 0, 3);
  header[3] = sequence;
  return header.toString('latin1') + payload;
}
const query = (sql: string) => packet(`\x03${sql}`);

describe('a line to a database', () => {
  let station: Station;
  let proxy: TcpProxy;
  const callers: Caller[] = [];

  beforeEach(async () => {
    // It says OK to the login and to every statement.
    station = await Station.open((text, socket) => {
      const packets = text.replace('login', '\x03').split('\x03').length - 1;
      socket.write('OK '.repeat(packets));
    });
    proxy = await TcpProxy.before(station.url('mysql'));
    await proxy.open();
  });
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.leave();
    await proxy.close();
    station.close();
  });

  const login = async (): Promise<Caller> => {
    const caller = await Caller.call(proxy.url);
    callers.push(caller);
    caller.say(packet('login', 1));
    await caller.hears('OK ');
    return caller;
  };
  const signature = query('INSERT INTO hub_batches (node_id) VALUES (1)');

  test('is cut before the COMMIT of a batch has reached the server, and what went before has', async () => {
    const caller = await login();
    const cut = proxy.cutAtCommit('before');
    caller.say(query('START TRANSACTION') + signature + query('COMMIT') + query('SELECT 1'));
    await cut;
    await until('the caller is cut off', () => caller.isCut);
    await until('the server has the signature', () => (station.heard[0] ?? '').includes('hub_batches'));
    expect(station.heard[0]).not.toContain('COMMIT');
    expect(station.heard[0]).not.toContain('SELECT 1');
  });

  test('is cut after the server has done the COMMIT of a batch, and its answer does not get through', async () => {
    const caller = await login();
    caller.say(query('START TRANSACTION') + signature);
    await caller.hears('OK OK OK ');
    const cut = proxy.cutAtCommit('after');
    caller.say(query('COMMIT'));
    await cut;
    await until('the caller is cut off', () => caller.isCut);
    expect(station.heard[0]).toContain('COMMIT');
    expect(caller.heard).toBe('OK OK OK ');
  });

  test('is cut once for each time that it was asked for, at the COMMIT that was meant', async () => {
    const third = proxy.cutAtCommit('before', 3);
    const fourth = proxy.cutAtCommit('after');
    const caller = await login();
    const batch = query('START TRANSACTION') + signature + query('COMMIT');
    caller.say(batch);
    await caller.hears('OK OK OK OK ');
    caller.say(batch);
    await caller.hears('OK '.repeat(7));
    caller.say(batch);
    await third;
    await until('the caller is cut off', () => caller.isCut);
    const next = await login();
    next.say(batch);
    await fourth;
    await until('the next is cut off', () => next.isCut);
    const last = await login();
    last.say(batch);
    await last.hears('OK OK OK OK ');
    expect(last.isCut).toBe(false);
  });

  test('is not cut at what only looks like the COMMIT of a batch', async () => {
    const caller = await login();
    let isCut = false;
    void proxy.cutAtCommit('before').then(() => {
      isCut = true;
    });
    const others = [
      query('START TRANSACTION') + query('UPDATE stores SET name = 1') + query('COMMIT'),
      signature + query('ROLLBACK') + query('COMMIT'),
      query('SELECT "INSERT INTO hub_batches"') + query('COMMIT'),
      signature + query('COMMIT AND CHAIN') + query('ROLLBACK'),
    ];
    let answers = 1;
    for (const other of others) {
      caller.say(other);
      answers += other.split('\x03').length - 1;
      await caller.hears('OK '.repeat(answers));
    }
    expect([caller.isCut, isCut]).toEqual([false, false]);
    caller.say(signature + query('COMMIT'));
    await until('it is cut at the true one', () => isCut);
  });

  test.each([
    ['MariaDB', ''],
    ['MySQL, with attributes', '\x00\x01'],
  ])('is read rightly however its packets are torn: %s', (_, attributes) => {
    const said = (sql: string) => query(attributes + sql);
    const batch = said('START TRANSACTION') + said('INSERT INTO hub_batches (node_id) VALUES (1)') + said('COMMIT');
    const text = packet('login', 1) + batch + said('SELECT 1');
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
      expect([size, isCut, passed]).toEqual([size, true, text.slice(0, text.indexOf(said('COMMIT')))]);
    }
  });

  test('is not to be had before what is no database', async () => {
    const other = await TcpProxy.before('redis://127.0.0.1:1');
    expect(() => other.cutAtCommit('before')).toThrow(/no COMMITs/);
  });
});

/** What Redis says: a greeting with a map, hints, a message of another channel, and answers to pings. */
const HINT_2 = '*3\r\n$7\r\nmessage\r\n$15\r\norder-hub:hints\r\n$0\r\n\r\n';
const HINT_3 = '>3\r\n$7\r\nmessage\r\n$15\r\norder-hub:hints\r\n$0\r\n\r\n';
const OTHERS = [
  '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n',
  '>3\r\n$9\r\nsubscribe\r\n$15\r\norder-hub:hints\r\n:1\r\n',
  '>3\r\n$7\r\nmessage\r\n$16\r\norder-hub:others\r\n$4\r\na\r\nb\r\n',
  '+PONG\r\n',
  '$-1\r\n',
  '*2\r\n*1\r\n_\r\n,1.5\r\n',
];

describe('a line to Redis', () => {
  test.each([
    ['all', 1, 0],
    ['none', 0, 4],
    ['every other one', 0.5, 2],
  ])('loses of the hints %s, whole, and nothing else, however its bytes are torn', (_, share, left) => {
    const [greeting = '', subscribed = '', other = '', ...answers] = OTHERS;
    const text = greeting + subscribed + HINT_3 + other + HINT_2 + HINT_3 + answers.join('') + HINT_3;
    for (const size of [1, 2, 3, 7, 20, 1_000]) {
      let turn = 0;
      const drops = new HintDrops(share, () => (turn++ % 2 === 0 ? 0.2 : 0.8));
      const streams = drops.streams();
      let passed = '';
      for (let start = 0; start < text.length; start += size)
        passed += streams.toClient(Buffer.from(text.slice(start, start + size), 'latin1')).pass.toString('latin1');
      expect(passed.split('message\r\n$15').length - 1).toBe(left);
      expect(passed.replaceAll(HINT_2, '').replaceAll(HINT_3, '')).toBe(OTHERS.join(''));
      expect([drops.seen, drops.dropped]).toEqual([4, 4 - left]);
    }
  });

  test('loses them on the way to whoever listens', async () => {
    const station = await Station.open();
    const proxy = await TcpProxy.before(station.url('redis'));
    await proxy.open();
    const drops = proxy.dropHints(1, () => 0);
    const caller = await Caller.call(proxy.url);
    await until('the caller is through', () => station.sockets.length === 1);
    station.sockets[0]?.write(HINT_3 + OTHERS.join(''));
    await caller.hears(OTHERS.join(''));
    expect(drops.dropped).toBe(1);
    caller.leave();
    await proxy.close();
    station.close();
  });
});

describe('a line to a hub', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('loses acknowledgements in the middle, and what they told is told again to who comes back', async () => {
    const proxy = await TcpProxy.before(hub.url);
    await proxy.open();
    const [seller, buyer] = [await hub.seller([{ stock: 100 }]), await hub.buyer()];
    let turn = 0;
    const cuts = proxy.cutAcks(0.5, () => (turn++ % 2 === 0 ? 0.9 : 0.1));
    const through = { url: proxy.url } as TestHub;
    let given = 0;
    for (const index of range(6)) {
      const { at } = await listen(buyer, { buyer: given }, through);
      const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: `cut-${index}` };
      const kept = await at.send('order:place', message);
      expect(kept).toMatchObject({ ok: true, seq: 2 * index + 1 });
      await at.hears(1);
      given += at.events.length;
      // The other one of the two is cut: the socket is gone, and the answer with it.
      await expect(at.send('order:place', { ...message, key: `lost-${index}` })).rejects.toThrow(/disconnected/);
      expect(at.socket?.connected).toBe(false);
      given = at.events.at(-1)?.seq ?? 0;
    }
    expect([cuts.cuts, cuts.seen]).toEqual([6, 12]);

    const { at } = await listen(buyer, { buyer: given });
    for (const index of range(6)) {
      const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: `lost-${index}` };
      expect(await at.send('order:place', message)).toMatchObject({ ok: true, replayed: true, seq: 2 * index + 2 });
    }
    expect(await seller.stock()).toBe(88);
    await proxy.close();
    expect(await audit(hub)).toEqual([]);
  });
});
