import { describe, expect, test } from '@jest/globals';
import {
  BATCH_COMMANDS_MAX,
  COMMANDS_WAITING_MAX,
  COMMANDS_WAITING_MIN,
  CommandBacklog,
  type QueuedCommand,
} from '../../src/commands/command.backlog.js';
import type { Command } from '../../src/commands/command.js';

const FAST = 1_000;

const startsWork = (name: Command['name']) => name === 'order:place';

function queued(name: Command['name'], actorId: string | null, orderLines = 1): QueuedCommand {
  const command = { name, actorId, request: {} } as unknown as Command;
  return {
    command,
    startsWork: startsWork(name),
    lines: orderLines,
    since: 0,
    source: { isConnected: () => true },
    answer: () => {},
  };
}

function backlogOf(...commands: [Command['name'], string | null, number?][]): CommandBacklog {
  const backlog = new CommandBacklog();
  for (const command of commands) backlog.add(queued(...command));
  return backlog;
}

function takeBatch(backlog: CommandBacklog, isExpired: (queued: QueuedCommand) => boolean = () => false): string[] {
  const { batch } = backlog.take(isExpired);
  return batch.map(({ command: { name, actorId } }) => `${name} ${actorId ?? 'hub'}`);
}

/** The backlog's order and capacity, tested without a hub. */
describe('the command backlog', () => {
  test('takes commands that progress an order before new orders', () => {
    const backlog = backlogOf(
      ['order:place', 'ann'],
      ['order:pay', 'bob'],
      ['order:place', 'cid'],
      ['order:ship', 'dan'],
    );
    expect(takeBatch(backlog)).toEqual(['order:pay bob', 'order:ship dan', 'order:place ann', 'order:place cid']);
  });

  test("keeps each actor's commands in order", () => {
    const backlog = backlogOf(
      ['order:place', 'ann'],
      ['order:pay', 'ann'],
      ['order:cancel', 'bob'],
      ['order:pay', 'ann'],
    );
    expect(takeBatch(backlog)).toEqual(['order:cancel bob', 'order:place ann', 'order:pay ann', 'order:pay ann']);
    for (const name of ['order:pay', 'order:place'] as const) backlog.add(queued(name, 'ann'));
    backlog.add(queued('order:place', 'bob'));
    backlog.add(queued('order:receive', 'ann'));
    expect(takeBatch(backlog)).toEqual(['order:pay ann', 'order:place ann', 'order:place bob', 'order:receive ann']);
  });

  test("always has capacity for the hub's own commands", () => {
    const backlog = new CommandBacklog();
    for (let count = 0; count < COMMANDS_WAITING_MAX; count++) backlog.add(queued('order:pay', `user ${count}`));
    expect(backlog.capacityFor({ startsWork: startsWork('order:pay'), actorId: 'ann' }, FAST)).toBe(0);
    expect(backlog.capacityFor({ startsWork: startsWork('order:timeout'), actorId: null }, FAST)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test('reserves capacity for progressing orders when it is full of new ones', () => {
    const backlog = new CommandBacklog();
    for (let count = 0; count < COMMANDS_WAITING_MAX / 2; count++) {
      expect(backlog.capacityFor({ startsWork: startsWork('order:place'), actorId: 'ann' }, FAST)).toBeGreaterThan(0);
      backlog.add(queued('order:place', `user ${count}`));
    }
    expect(backlog.capacityFor({ startsWork: startsWork('order:place'), actorId: 'ann' }, FAST)).toBe(0);
    expect(backlog.capacityFor({ startsWork: startsWork('order:pay'), actorId: 'ann' }, FAST)).toBe(
      COMMANDS_WAITING_MAX / 2,
    );
  });

  test('reserves capacity for occasional buyers when it is full of one buyer', () => {
    const backlog = new CommandBacklog();
    const capacity = (actorId: string) => backlog.capacityFor({ startsWork: startsWork('order:place'), actorId }, FAST);
    while (capacity('greedy') > 0) backlog.add(queued('order:place', 'greedy'));
    expect(backlog.length).toBe((COMMANDS_WAITING_MAX / 2) * 0.75);
    for (let left = 8; left > 0; left--) {
      expect(capacity('ann')).toBe(left);
      backlog.add(queued('order:place', 'ann'));
    }
    expect([capacity('ann'), capacity('bob')]).toEqual([0, 8]);
    takeBatch(backlog);
    expect([capacity('greedy'), capacity('ann')]).toEqual([BATCH_COMMANDS_MAX - 8, BATCH_COMMANDS_MAX - 8]);
  });

  test('scales with the throughput, but always accepts a burst', () => {
    const backlog = new CommandBacklog();
    const isFull = (perMs: number) =>
      backlog.capacityFor({ startsWork: startsWork('order:pay'), actorId: 'ann' }, perMs) <= 0;
    for (let count = 0; count < COMMANDS_WAITING_MIN - 1; count++) backlog.add(queued('order:pay', 'ann'));
    expect([isFull(0.01), isFull(3), isFull(FAST)]).toEqual([false, false, false]);
    backlog.add(queued('order:pay', 'ann'));
    expect([isFull(0.01), isFull(3), isFull(FAST)]).toEqual([true, false, false]);
    for (let count = COMMANDS_WAITING_MIN; count < 3_000; count++) backlog.add(queued('order:pay', 'ann'));
    expect([isFull(0.01), isFull(3), isFull(FAST)]).toEqual([true, true, false]);
  });

  test('limits batches by commands and order lines, without reordering what does not fit', () => {
    const large = new CommandBacklog();
    for (let count = 0; count < BATCH_COMMANDS_MAX + 1; count++) large.add(queued('order:pay', 'ann'));
    large.add(queued('order:place', 'ann'));
    expect(takeBatch(large)).toHaveLength(BATCH_COMMANDS_MAX);
    expect(takeBatch(large)).toEqual(['order:pay ann', 'order:place ann']);
    const oversized = backlogOf(['order:place', 'ann', 600], ['order:place', 'bob', 401], ['order:place', 'cid', 1]);
    expect(takeBatch(oversized)).toEqual(['order:place ann']);
    expect(takeBatch(oversized)).toEqual(['order:place bob', 'order:place cid']);
    expect(takeBatch(backlogOf(['order:place', 'ann', 1_001]))).toEqual(['order:place ann']);
    const full = backlogOf(['order:place', 'ann', 600], ['order:place', 'bob', 400], ['order:place', 'cid', 1]);
    expect(takeBatch(full)).toEqual(['order:place ann', 'order:place bob']);
    const finishing = backlogOf(['order:pay', 'ann', 600], ['order:ship', 'bob', 401], ['order:place', 'cid', 1]);
    expect(takeBatch(finishing)).toEqual(['order:pay ann']);
    expect(takeBatch(finishing)).toEqual(['order:ship bob', 'order:place cid']);
  });

  test("tracks each actor's waiting orders across taken and expired commands", () => {
    const backlog = backlogOf(['order:pay', 'ann'], ['order:place', 'ann']);
    for (let count = 0; count < BATCH_COMMANDS_MAX; count++) backlog.add(queued('order:pay', 'bob'));
    expect(takeBatch(backlog)).toHaveLength(BATCH_COMMANDS_MAX);
    for (const actorId of ['ann', 'bob']) backlog.add(queued('order:ship', actorId));
    expect(takeBatch(backlog)).toEqual(['order:pay bob', 'order:ship bob', 'order:place ann', 'order:ship ann']);

    const mixed = backlogOf(['order:place', 'ann'], ['order:place', 'bob']);
    expect(takeBatch(mixed, ({ command }) => command.actorId === 'ann')).toEqual(['order:place bob']);
    for (const name of ['order:place', 'order:pay'] as const)
      mixed.add(queued(name, name === 'order:pay' ? 'ann' : 'bob'));
    expect(takeBatch(mixed)).toEqual(['order:pay ann', 'order:place bob']);
  });

  test("takes the hub's own commands with those that progress an order", () => {
    const backlog = backlogOf(['order:place', 'ann'], ['order:timeout', null], ['order:timeout', null]);
    expect(takeBatch(backlog)).toEqual(['order:timeout hub', 'order:timeout hub', 'order:place ann']);
  });

  test('counts both queues', () => {
    const backlog = backlogOf(['order:place', 'ann'], ['order:pay', 'bob'], ['order:pay', 'cid']);
    expect(backlog.length).toBe(3);
    takeBatch(backlog);
    expect(backlog.length).toBe(0);
  });

  test('removes expired commands without counting them', () => {
    const backlog = backlogOf(['order:pay', 'ann'], ['order:place', 'bob', 1_000], ['order:place', 'cid', 1_000]);
    const { batch, expired } = backlog.take(({ command }) => command.actorId !== 'cid');
    expect(batch.map(({ command }) => command.actorId)).toEqual(['cid']);
    expect(expired.map(({ command }) => command.actorId)).toEqual(['ann', 'bob']);
    expect(backlog.length).toBe(0);
  });
});
