import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HubSocket } from '../../src/platform/socket.js';
import { HubNodes } from '../../src/rooms/hub.nodes.js';
import { HubWatch } from '../../src/rooms/hub.watch.js';
import { RoomFeeds } from '../../src/rooms/room.feeds.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';

const DAY_MS = 86_400_000;

interface Looking {
  lookedAt: number;
  prunedAt: number;
  watch: { hint(): void };
}

/** What another process has written to the database. The embedded one has none, but the code is the same everywhere. */
describe('the news of other processes', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let batches = 0;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 100 }]);
    buyer = await hub.buyer();
    await buyer.connect();
    await buyer.place(seller);
    await buyer.hears(1);
  });
  afterAll(() => hub.stop());

  const write = (sql: string, parameters: unknown[]) => hub.database.transaction((tx) => tx.query(sql, parameters));
  const looking = () => hub.hub.app.get(HubWatch) as unknown as Looking;
  const signs = (nodeId: string, at: number, rooms: unknown[] = []) =>
    write('INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, ?, ?, ?)', [
      nodeId,
      ++batches,
      JSON.stringify(rooms),
      at,
    ]);
  const nodes = async () =>
    (await hub.rows<{ node_id: string }>('SELECT DISTINCT node_id FROM hub_batches')).map((row) => row.node_id);

  /** Another process gives the buyer's room its next event. */
  async function event(): Promise<number> {
    const seq = buyer.events.length + 1;
    const body = JSON.stringify({ ...buyer.events[0], seq });
    await write("UPDATE rooms SET head = ? WHERE role = 'buyer' AND user_id = ?", [seq, buyer.userId]);
    const columns = '(role, user_id, seq, body, at)';
    await write(`INSERT INTO room_events ${columns} VALUES ('buyer', ?, ?, ?, ?)`, [
      buyer.userId,
      seq,
      body,
      Date.now(),
    ]);
    return seq;
  }

  test('are heard here, by who is here, and what is not known as a room is passed over', async () => {
    for (const _ of [1, 2]) {
      const seq = await event();
      await signs('other', Date.now(), [
        ['buyer', buyer.userId, seq],
        ['seller', 'somebody who is elsewhere', 7],
        ['stranger', buyer.userId, 9],
      ]);
      looking().watch.hint();
      expect((await buyer.hears(seq)).at(-1)?.seq).toBe(seq);
    }
  });

  test('that were missed for too long are looked for in the rooms of all who are here', async () => {
    const seq = await event();
    // Again and again, because a look that is under way notes that it has looked.
    await until('it is heard', () => {
      looking().lookedAt = 0;
      looking().watch.hint();
      return buyer.events.at(-1)?.seq === seq;
    });
  });

  test('are forgotten when everybody has had the time to see them, and processes that left nothing with them', async () => {
    await signs('long-gone', Date.now() - 2 * DAY_MS);
    looking().watch.hint();
    const forgets = async () => {
      looking().prunedAt = 0;
      looking().watch.hint();
      return !(await nodes()).includes('long-gone');
    };
    await until('the old batch is forgotten', forgets);
    expect(await nodes()).toContain('other');
    // What this process has signed itself long ago, and what it knew of the one that is gone.
    const { nodeId } = hub.hub.app.get(HubNodes);
    await write('UPDATE hub_batches SET at = 0 WHERE node_id = ?', [nodeId]);
    await until('its own are forgotten', async () => {
      await forgets();
      return !(await nodes()).includes(nodeId);
    });
  });

  test('do not concern who has left already, or whom nobody knows', async () => {
    await hub.hub.app.get(RoomFeeds).join({ connected: false } as HubSocket);
    expect(await hub.hub.app.get(RoomsService).heads('nobody')).toEqual({ buyer: 0, seller: 0 });
  });
});
