import { describe, expect, test } from '@jest/globals';
import { newOrderId } from '../../src/orders/order.id.js';
import { isOrderId } from '../../src/orders/order.presenter.js';
import { range } from '../support/ways.js';

describe('order ids', () => {
  test('are unique, sort by creation and encode its time', () => {
    const start = Date.now();
    const ids = range(20_000).map(() => newOrderId(Date.now()));
    const times = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16));
    expect(ids.every(isOrderId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted());
    expect(times.every((time) => time >= start && time <= Date.now())).toBe(true);
  });
});
