import { afterEach, describe, expect, test } from '@jest/globals';
import { localStorageOf } from '../../src/client/connect.js';

const page = globalThis as { localStorage?: unknown };

/** What a browser would have: this file runs in none. */
function storage(content = new Map<string, string>()) {
  return {
    getItem: (key: string) => content.get(key) ?? null,
    setItem: (key: string, value: string) => void content.set(key, value),
  };
}

describe('what a browser remembers of the last events', () => {
  afterEach(() => {
    delete page.localStorage;
  });
  const install = (get: () => unknown) => Object.defineProperty(page, 'localStorage', { configurable: true, get });
  const no = () => {
    throw new Error('no');
  };

  test('is remembered for each user apart', () => {
    const kept = storage();
    install(() => kept);
    localStorageOf('mei').save({ buyer: 3, seller: 0 });
    expect(localStorageOf('mei').load()).toEqual({ buyer: 3, seller: 0 });
    expect(localStorageOf('Mei').load()).toBeUndefined();
  });

  test.each(['', 'null', '{"buyer":-1}', '{"buyer":"3"}', '{"somebody":3}', '3'])(
    'is nothing when what is found there is not what was put there: %s',
    (found) => {
      install(() => storage(new Map([['order-hub:last:mei', found]])));
      expect(localStorageOf('mei').load()).toBeUndefined();
    },
  );

  test('is nothing, and hurts nobody, where there is no storage or it is forbidden or full', () => {
    for (const get of [() => undefined, no, () => ({ getItem: no, setItem: no })]) {
      install(get);
      localStorageOf('mei').save({ buyer: 3 });
      expect(localStorageOf('mei').load()).toBeUndefined();
    }
  });
});
