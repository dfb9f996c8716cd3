import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HubSocket } from '../../src/platform/sockets/hub.socket.js';
import { BatchFollower } from '../../src/rooms/batch.follower.js';
import { BatchLog } from '../../src/rooms/batch.log.js';
import { EventPublisher } from '../../src/rooms/event.publisher.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';

const DAY_MS = 86_400_000;

/** The private state of the follower that these tests set. */
interface FollowerState {
  prunedAt: number;
  poller: { wake(): void };
}

/** Batches written as another process would; on the embedded database there is none, but the code is the same. */
describe('the batch follower', () => {
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
  const follower = () => hub.hub.app.get(BatchFollower) as unknown as FollowerState;
  const append = (nodeId: string, at: number, rooms: unknown[] = []) =>
    write('INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, ?, ?, ?)', [
      nodeId,
      ++batches,
      JSON.stringify(rooms),
      at,
    ]);
  const nodeIds = async () =>
    (await hub.rows<{ node_id: string }>('SELECT DISTINCT node_id FROM hub_batches')).map((row) => row.node_id);

  /** Commits the next event of the buyer's room as another process would. */
  async function commitEvent(): Promise<number> {
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

  test('delivers events of another process and skips unknown room kinds and absent users', async () => {
    for (const _ of [1, 2]) {
      const seq = await commitEvent();
      await append('other', Date.now(), [
        ['buyer', buyer.userId, seq],
        ['seller', 'absent-user', 7],
        ['courier', buyer.userId, 9],
      ]);
      follower().poller.wake();
      expect((await buyer.hears(seq)).at(-1)?.seq).toBe(seq);
    }
  });

  test('is not needed for an event to be delivered in the end, where several processes write', async () => {
    const seq = await commitEvent();
    if (hub.database.dialect.singleWriter) await append('other', Date.now(), [['buyer', buyer.userId, seq]]);
    follower().poller.wake();
    expect((await buyer.hears(seq)).at(-1)?.seq).toBe(seq);
  });

  test('prunes old batches of other processes and of its own', async () => {
    await append('terminated', Date.now() - 2 * DAY_MS);
    follower().poller.wake();
    const prune = async () => {
      follower().prunedAt = 0;
      follower().poller.wake();
      return !(await nodeIds()).includes('terminated');
    };
    await until('the old batch is pruned', prune);
    expect(await nodeIds()).toContain('other');
    const { nodeId } = hub.hub.app.get(BatchLog);
    await write('UPDATE hub_batches SET at = 0 WHERE node_id = ?', [nodeId]);
    await until('its own batches are pruned', async () => {
      await prune();
      return !(await nodeIds()).includes(nodeId);
    });
  });

  test('ignores a disconnected socket and an unknown user', async () => {
    await hub.hub.app.get(EventPublisher).join({ connected: false } as HubSocket);
    expect(await hub.hub.app.get(RoomsService).heads('unknown')).toEqual({ buyer: 0, seller: 0 });
  });
});
