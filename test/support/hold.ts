import { setTimeout as sleep } from 'node:timers/promises';
import { type TestHub, until } from './hub.js';

/** A server ends a transaction in which nothing happens for five seconds. */
const STIR_EVERY_MS = 1_000;

/** Keeps every batch of a hub waiting that touches the stock of a book; gives the way to let it go. */
export async function hold({ database }: TestHub): Promise<() => Promise<void>> {
  let isHeld = false;
  let isLetGo = false;
  let stir = () => {};
  const done = database.transaction(async (tx) => {
    await tx.query(`SELECT stock FROM book_stock${database.dialect.forUpdate}`);
    isHeld = true;
    while (!isLetGo) {
      await Promise.race([
        sleep(STIR_EVERY_MS),
        new Promise<void>((resolve) => {
          stir = resolve;
        }),
      ]);
      await tx.query('SELECT 1');
    }
  });
  await until('the stock is held', () => isHeld);
  return async () => {
    isLetGo = true;
    stir();
    await done;
  };
}
