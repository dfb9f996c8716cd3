import { describe, expect, test } from '@jest/globals';
import { newOrderId } from '../../src/commands/order.id.js';
import { isOrderId } from '../../src/commands/order.view.js';
import { range } from '../support/ways.js';

describe('ids of orders', () => {
  test('sort as they were given, are all different, and tell when', () => {
    const from = Date.now();
    const ids = range(20_000).map(() => newOrderId());
    const times = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16));
    expect(ids.every(isOrderId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted());
    expect(times.every((time) => time >= from && time <= Date.now())).toBe(true);
  });
});
