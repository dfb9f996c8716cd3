import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { roles } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import { report, sized } from '../support/chaos.js';
import { DefaultClient } from '../support/default.client.js';
import { createOnEveryNode } from '../support/galera.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import type { TestDatabase } from '../support/test.database.js';
import { codeOf, device, pick, range } from '../support/ways.js';

const SWITCHES = sized(2, 9);
const SWITCH_EVERY_MS = sized(2_000, 5_000);
const SELLERS = 3;
const BUYERS = 6;
const ORDER_EVERY_MS = 50;
const HUBS = 2;
const ANSWER_WITHIN_MS = 10_000;
/** A hub waits for its database, and a client between two attempts. */
const CAUGHT_UP_WITHIN_MS = 60_000;

let nodes: TestDatabase[];
let proxy: TcpProxy;
let hubs: TestHub[];

beforeAll(async () => {
  nodes = await createOnEveryNode();
  proxy = await TcpProxy.before(pick(nodes, 0).url);
  await proxy.open();
  const behindProxy = { url: proxy.url, drop: () => pick(nodes, 0).drop() };
  hubs = [];
  for (const _ of range(HUBS)) hubs.push(await TestHub.start({}, behindProxy));
}, 120_000);
afterAll(async () => {
  const [first, ...others] = hubs;
  for (const hub of others) await hub.leave();
  await first?.leave();
  await proxy.close();
  await nodes[0]?.drop();
});

/** As a planned switch does: the old writer's connections are cut, and new ones reach the next. */
function switchWriter(index: number): void {
  proxy.retarget(pick(nodes, index).url);
  proxy.cutAll();
}

test(
  `${SWITCHES} planned switches of the writer under load strand no default Socket.IO client, and leave no gap`,
  async () => {
    const here = pick(hubs, 0);
    const sellers = await Promise.all(range(SELLERS).map(() => here.seller([{ stock: 1_000_000 }])));
    const buyers = await Promise.all(range(BUYERS).map(() => here.person()));
    // Each person has a socket at each hub.
    const people = [...sellers, ...buyers].flatMap((person) => hubs.map((hub) => device(person, hub)));
    const clients = people.map((person) => ({ person, client: new DefaultClient(person) }));
    await until('everybody is connected', () => clients.every(({ client }) => client.ready > 0));

    let isOver = false;
    const codes: Record<string, number> = {};
    const order = async (buyer: Person, index: number) => {
      for (let count = 0; !isOver; count++) {
        const { storeId } = pick(sellers, index + count);
        const key = `${buyer.userId}-${count}`;
        const request = { storeId, items: [{ bookId: 'book-1', count: 1 }], key };
        const own = clients.filter(({ person }) => person.userId === buyer.userId);
        const socket = pick(own, count).client.socket as unknown as Socket;
        const sending: Promise<Answer<unknown>> = socket.timeout(ANSWER_WITHIN_MS).emitWithAck('order:place', request);
        const code = await sending.then(codeOf, () => 'no answer');
        codes[code] = (codes[code] ?? 0) + 1;
        await sleep(ORDER_EVERY_MS);
      }
    };
    const load = Promise.all(buyers.map(order));
    for (const index of range(SWITCHES)) {
      await sleep(SWITCH_EVERY_MS);
      switchWriter(index + 1);
    }
    await sleep(SWITCH_EVERY_MS);
    isOver = true;
    await load;

    const heads = await here.rows<{ role: string; userId: string; head: number }>(
      'SELECT role, user_id AS userId, head FROM rooms WHERE head > 0',
    );
    for (const { person, client } of clients) {
      const expected = heads
        .filter(({ userId }) => userId === person.userId)
        .flatMap(({ role, head }) => range(head).map((index) => `${role} ${index + 1}`));
      await until(
        `${person.userId} has received ${expected.length} events (${client.events.length}, ${client.disconnects})`,
        () => client.socket.connected && client.events.length >= expected.length,
        CAUGHT_UP_WITHIN_MS,
      );
      for (const role of roles) {
        const ofRole = (events: string[]) => events.filter((event) => event.startsWith(role));
        expect(ofRole(client.events)).toEqual(ofRole(expected));
      }
    }
    const events = clients.reduce((sum, { client }) => sum + client.events.length, 0);
    const disconnects = clients.reduce((sum, { client }) => sum + client.disconnects.length, 0);
    report('switches of the writer', { switches: SWITCHES, ...codes, events, disconnects });
    expect(codes.OK).toBeGreaterThan(0);
    expect(codes.INTERNAL).toBeUndefined();
    for (const { client } of clients) client.socket.disconnect();
  },
  SWITCHES * SWITCH_EVERY_MS + 5 * CAUGHT_UP_WITHIN_MS,
);
