import { afterEach, describe, expect, test } from '@jest/globals';
import { localStorageOf } from '../../src/client/connect.js';

const page = globalThis as { localStorage?: unknown };

/** A stand-in for the browser's storage. */
function storage(content = new Map<string, string>()) {
  return {
    getItem: (key: string) => content.get(key) ?? null,
    setItem: (key: string, value: string) => void content.set(key, value),
  };
}

describe('the cursor in localStorage', () => {
  afterEach(() => {
    delete page.localStorage;
  });
  const install = (get: () => unknown) => Object.defineProperty(page, 'localStorage', { configurable: true, get });
  const fail = () => {
    throw new Error('denied');
  };

  test('is stored per user', () => {
    const shared = storage();
    install(() => shared);
    localStorageOf('mei').save({ buyer: 3, seller: 0 });
    expect(localStorageOf('mei').load()).toEqual({ buyer: 3, seller: 0 });
    expect(localStorageOf('Mei').load()).toBeUndefined();
  });

  test.each(['', 'null', '{"buyer":-1}', '{"buyer":"3"}', '{"other":3}', '3'])(
    'is undefined when the stored text is invalid: %s',
    (text) => {
      install(() => storage(new Map([['order-hub:last:mei', text]])));
      expect(localStorageOf('mei').load()).toBeUndefined();
    },
  );

  test('is undefined, without an exception, where storage is missing, denied or full', () => {
    for (const get of [() => undefined, fail, () => ({ getItem: fail, setItem: fail })]) {
      install(get);
      localStorageOf('mei').save({ buyer: 3 });
      expect(localStorageOf('mei').load()).toBeUndefined();
    }
  });
});
