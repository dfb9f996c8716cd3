import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { UNREAD_BYTES_MAX } from '../../src/platform/http/slow.readers.js';
import { addCopies } from '../support/copies.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

const DETAILS_BYTES = 16_000;
const BOOKS = 100;
const CONNECTIONS = 8;
/** More than the buffers of the system take for a connection, which are megabytes on both sides. */
const PAGES = 12;
const PAGES_AT_ONCE = 3;
const CHUNK_PAUSE_MS = 100;
const CLOSED_WITHIN_MS = 60_000;
const TEST_MS = 240_000;

describe('HTTP answers that are not read', () => {
  const log = new LogBook();
  let hub: TestHub;
  let seller: Person;
  let path: string;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'warn' }, undefined, log);
    seller = await hub.seller([]);
    const details = { text: 'x'.repeat(DETAILS_BYTES) };
    const book = { bookId: 'b', title: 'Long', price: 1, stock: 1, details };
    expect((await seller.post(`/stores/${seller.storeId}/books`, book)).status).toBe(201);
    for (const table of ['books', 'book_texts', 'book_stock']) {
      const [row = {}] = await hub.rows(`SELECT * FROM ${table}`);
      const copies = range(BOOKS - 1).map((index) => ({
        book_no: Number(row.book_no) + 1 + index,
        ...(table === 'books' ? { book_id: `b${index}` } : {}),
      }));
      await addCopies(hub, table, row, copies);
    }
    path = `/stores/${seller.storeId}/books?limit=${BOOKS}`;
  });
  afterAll(() => hub.stop());

  /** A connection that reads nothing until it is resumed. */
  function open(): Socket {
    const { hostname, port } = new URL(hub.url);
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.pause();
    return socket;
  }
  const request = (socket: Socket) => socket.write(`GET ${path} HTTP/1.1\r\nHost: hub\r\n\r\n`);
  const destroyed = () => log.lines('slow reader disconnected');

  test(
    'are bounded in bytes, and their connections destroyed, while other requests are answered',
    async () => {
      const accepted: Socket[] = [];
      const accept = (socket: Socket) => accepted.push(socket);
      const server: Server = hub.hub.app.getHttpServer().on('connection', accept);
      const sockets = range(CONNECTIONS).map(open);
      await until('all are connected', () => accepted.length >= CONNECTIONS);
      server.off('connection', accept);
      // An address's reads are answered in turn: a busy hub, asked for more at once, would answer with errors, which fill nothing.
      const isAnswered = async () => (await seller.get(path)).status === 200;
      for (const socket of sockets) {
        for (const page of range(PAGES)) {
          request(socket);
          if (page % PAGES_AT_ONCE === 0) await until('other requests are answered', isAnswered, CLOSED_WITHIN_MS);
        }
      }
      // At last for lack of progress; a busy hub may close some because their requests took too long to be read.
      await until('every connection is closed', () => accepted.every(({ destroyed }) => destroyed), CLOSED_WITHIN_MS);
      expect(destroyed().length).toBeGreaterThan(0);
      const samples = await (await fetch(`${hub.url}/metrics`)).text();
      expect(samples).toMatch(/order_hub_refusals_total\{limit="slow-readers"\} \d/);
      for (const line of destroyed()) expect(Number(line.bytes)).toBeLessThan(UNREAD_BYTES_MAX);
      for (const socket of sockets) socket.destroy();
    },
    TEST_MS,
  );

  test('are sent in full to a client that reads slowly', async () => {
    const before = destroyed().length;
    const socket = open();
    request(socket);
    const { body } = await seller.get<unknown>(path);
    const expected = Buffer.byteLength(JSON.stringify(body));
    let received = 0;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      text = chunk.toString('latin1').slice(-2);
      socket.pause();
      void sleep(CHUNK_PAUSE_MS).then(() => socket.resume());
    });
    socket.resume();
    await until('the whole page is received', () => received > expected);
    expect(text.endsWith('}')).toBe(true);
    expect(destroyed()).toHaveLength(before);
    socket.destroy();
  });
});
