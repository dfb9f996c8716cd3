import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { TestHub } from '../support/hub.js';
import { rawHttp } from '../support/raw.http.js';
import { range } from '../support/ways.js';

/** What engine.io clients of other languages accept in one answer. */
const PACKETS_MAX = 16;
const EVENTS = 60;
const SEPARATOR = '\x1e';
const PING = '2';

describe('a long-polling client', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  /** The packets of each answer until this one has arrived. Pings are answered. */
  async function poll(path: string, isLast: (packet: string) => boolean): Promise<string[][]> {
    const answers: string[][] = [];
    for (;;) {
      const packets = (await rawHttp(hub, 'GET', path)).text.split(SEPARATOR);
      answers.push(packets);
      if (packets.includes(PING)) await rawHttp(hub, 'POST', path, { body: '3' });
      if (packets.some(isLast)) return answers;
    }
  }
  async function open(auth: unknown): Promise<string> {
    const path = '/socket.io/?EIO=4&transport=polling';
    const { text } = await rawHttp(hub, 'GET', path);
    const { sid } = JSON.parse(text.slice(1)) as { sid: string };
    await rawHttp(hub, 'POST', `${path}&sid=${sid}`, { body: `40${JSON.stringify(auth)}` });
    return `${path}&sid=${sid}`;
  }
  const seqsIn = (answers: string[][]) =>
    answers
      .flat()
      .filter((packet) => packet.startsWith('42["order:status"'))
      .map((packet) => (JSON.parse(packet.slice(2)) as [string, OrderStatusPush])[1].seq);

  test('receives missed and live events in order, at most 16 packets in an answer', async () => {
    const seller = await hub.seller([{ stock: 1_000 }]);
    const buyer = await (await hub.buyer()).connect();
    const place = () => Promise.all(range(EVENTS).map(() => buyer.place(seller)));
    await place();
    const path = await open({ token: seller.token, last: { seller: 0 } });
    const missed = await poll(path, (packet) => packet.startsWith('42["room:ready"'));
    // All are queued by the time of the next poll.
    await place();
    const live = await poll(path, (packet) => packet.includes(`"seq":${2 * EVENTS},`));
    expect(seqsIn([...missed, ...live])).toEqual(range(2 * EVENTS).map((index) => index + 1));
    const sizes = [...missed, ...live].map(({ length }) => length);
    expect(Math.max(...sizes)).toBe(PACKETS_MAX);
  });

  test('receives the reason of an ended session behind a full answer', async () => {
    const seller = await hub.seller([{ stock: 1_000 }]);
    const buyer = await (await hub.buyer()).connect();
    const path = await open({ token: seller.token });
    await poll(path, (packet) => packet.startsWith('42["room:ready"'));
    await Promise.all(range(EVENTS).map(() => buyer.place(seller)));
    await seller.post('/auth/logout');
    const answers = await poll(path, (packet) => packet.startsWith('42["session:ended"'));
    expect(seqsIn(answers)).toEqual(range(EVENTS).map((index) => index + 1));
  });
});
