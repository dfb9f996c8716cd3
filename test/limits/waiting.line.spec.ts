import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import {
  BATCH_COMMANDS_MAX,
  COMMANDS_WAITING_MAX,
  COMMANDS_WAITING_MIN,
  type Waiting,
  WaitingLine,
} from '../../src/commands/waiting.line.js';

const FAST = 1_000;

function waiting(name: Command['name'], by: string | null, lines = 1): Waiting {
  const command = { name, by, request: {} } as unknown as Command;
  return { command, lines, since: 0, asker: { isThere: () => true }, answer: () => {} };
}

function lineOf(...commands: [Command['name'], string | null, number?][]): WaitingLine {
  const line = new WaitingLine();
  for (const command of commands) line.add(waiting(...command));
  return line;
}

function takenFrom(line: WaitingLine, isOver: (waiting: Waiting) => boolean = () => false): string[] {
  const { batch } = line.take(isOver);
  return batch.map(({ command: { name, by } }) => `${name} ${by ?? 'hub'}`);
}

/** Pure, like the rules: who waits behind whom is decided here, without a hub. */
describe('the line of commands', () => {
  test('lets those who finish an order go before those who place one', () => {
    const line = lineOf(['order:place', 'ann'], ['order:pay', 'bob'], ['order:place', 'cid'], ['order:ship', 'dan']);
    expect(takenFrom(line)).toEqual(['order:pay bob', 'order:ship dan', 'order:place ann', 'order:place cid']);
  });

  test('lets nobody overtake oneself', () => {
    const line = lineOf(['order:place', 'ann'], ['order:pay', 'ann'], ['order:cancel', 'bob'], ['order:pay', 'ann']);
    expect(takenFrom(line)).toEqual(['order:cancel bob', 'order:place ann', 'order:pay ann', 'order:pay ann']);
    for (const name of ['order:pay', 'order:place'] as const) line.add(waiting(name, 'ann'));
    line.add(waiting('order:place', 'bob'));
    line.add(waiting('order:receive', 'ann'));
    expect(takenFrom(line)).toEqual(['order:pay ann', 'order:place ann', 'order:place bob', 'order:receive ann']);
  });

  test('lets the hub go first, and always in', () => {
    const line = new WaitingLine();
    for (let count = 0; count < COMMANDS_WAITING_MAX; count++) line.add(waiting('order:pay', `user ${count}`));
    expect(line.roomFor({ name: 'order:pay', by: 'ann' }, FAST)).toBe(0);
    expect(line.roomFor({ name: 'order:due', by: null }, FAST)).toBe(Number.POSITIVE_INFINITY);
  });

  test('keeps room for those who finish an order, when it is full of those who place', () => {
    const line = new WaitingLine();
    for (let count = 0; count < COMMANDS_WAITING_MAX / 2; count++) {
      expect(line.roomFor({ name: 'order:place', by: 'ann' }, FAST)).toBeGreaterThan(0);
      line.add(waiting('order:place', `user ${count}`));
    }
    expect(line.roomFor({ name: 'order:place', by: 'ann' }, FAST)).toBe(0);
    expect(line.roomFor({ name: 'order:pay', by: 'ann' }, FAST)).toBe(COMMANDS_WAITING_MAX / 2);
  });

  test('keeps room for those who place little, when it is full of those who place much', () => {
    const line = new WaitingLine();
    const room = (by: string) => line.roomFor({ name: 'order:place', by }, FAST);
    while (room('greedy') > 0) line.add(waiting('order:place', 'greedy'));
    expect(line.length).toBe((COMMANDS_WAITING_MAX / 2) * 0.75);
    for (let left = 8; left > 0; left--) {
      expect(room('ann')).toBe(left);
      line.add(waiting('order:place', 'ann'));
    }
    expect([room('ann'), room('bob')]).toEqual([0, 8]);
    takenFrom(line);
    expect([room('greedy'), room('ann')]).toEqual([BATCH_COMMANDS_MAX - 8, BATCH_COMMANDS_MAX - 8]);
  });

  test('is shorter where less is done in a second, and never too short for a burst', () => {
    const line = new WaitingLine();
    const fills = (perMs: number) => line.roomFor({ name: 'order:pay', by: 'ann' }, perMs) <= 0;
    for (let count = 0; count < COMMANDS_WAITING_MIN - 1; count++) line.add(waiting('order:pay', 'ann'));
    expect([fills(0.01), fills(3), fills(FAST)]).toEqual([false, false, false]);
    line.add(waiting('order:pay', 'ann'));
    expect([fills(0.01), fills(3), fills(FAST)]).toEqual([true, false, false]);
    for (let count = COMMANDS_WAITING_MIN; count < 3_000; count++) line.add(waiting('order:pay', 'ann'));
    expect([fills(0.01), fills(3), fills(FAST)]).toEqual([true, true, false]);
  });

  test('gives batches of so many commands and so many lines of orders, and nothing overtakes what did not fit', () => {
    const many = new WaitingLine();
    for (let count = 0; count < BATCH_COMMANDS_MAX + 1; count++) many.add(waiting('order:pay', 'ann'));
    many.add(waiting('order:place', 'ann'));
    expect(takenFrom(many)).toHaveLength(BATCH_COMMANDS_MAX);
    expect(takenFrom(many)).toEqual(['order:pay ann', 'order:place ann']);
    const long = lineOf(['order:place', 'ann', 600], ['order:place', 'bob', 401], ['order:place', 'cid', 1]);
    expect(takenFrom(long)).toEqual(['order:place ann']);
    expect(takenFrom(long)).toEqual(['order:place bob', 'order:place cid']);
    expect(takenFrom(lineOf(['order:place', 'ann', 1_001]))).toEqual(['order:place ann']);
    const full = lineOf(['order:place', 'ann', 600], ['order:place', 'bob', 400], ['order:place', 'cid', 1]);
    expect(takenFrom(full)).toEqual(['order:place ann', 'order:place bob']);
    const finishing = lineOf(['order:pay', 'ann', 600], ['order:ship', 'bob', 401], ['order:place', 'cid', 1]);
    expect(takenFrom(finishing)).toEqual(['order:pay ann']);
    expect(takenFrom(finishing)).toEqual(['order:ship bob', 'order:place cid']);
  });

  test('knows who still waits to place an order, whatever else of theirs was taken or is over', () => {
    const line = lineOf(['order:pay', 'ann'], ['order:place', 'ann']);
    for (let count = 0; count < BATCH_COMMANDS_MAX; count++) line.add(waiting('order:pay', 'bob'));
    expect(takenFrom(line)).toHaveLength(BATCH_COMMANDS_MAX);
    for (const by of ['ann', 'bob']) line.add(waiting('order:ship', by));
    expect(takenFrom(line)).toEqual(['order:pay bob', 'order:ship bob', 'order:place ann', 'order:ship ann']);

    const gone = lineOf(['order:place', 'ann'], ['order:place', 'bob']);
    expect(takenFrom(gone, ({ command }) => command.by === 'ann')).toEqual(['order:place bob']);
    for (const name of ['order:place', 'order:pay'] as const)
      gone.add(waiting(name, name === 'order:pay' ? 'ann' : 'bob'));
    expect(takenFrom(gone)).toEqual(['order:pay ann', 'order:place bob']);
  });

  test('lets the hub’s own commands go with those that finish an order', () => {
    const line = lineOf(['order:place', 'ann'], ['order:due', null], ['order:due', null]);
    expect(takenFrom(line)).toEqual(['order:due hub', 'order:due hub', 'order:place ann']);
  });

  test('counts both lanes', () => {
    const line = lineOf(['order:place', 'ann'], ['order:pay', 'bob'], ['order:pay', 'cid']);
    expect(line.length).toBe(3);
    takenFrom(line);
    expect(line.length).toBe(0);
  });

  test('takes out what is over, and does not count it', () => {
    const line = lineOf(['order:pay', 'ann'], ['order:place', 'bob', 1_000], ['order:place', 'cid', 1_000]);
    const { batch, over } = line.take(({ command }) => command.by !== 'cid');
    expect(batch.map(({ command }) => command.by)).toEqual(['cid']);
    expect(over.map(({ command }) => command.by)).toEqual(['ann', 'bob']);
    expect(line.length).toBe(0);
  });
});
