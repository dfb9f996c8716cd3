import { type TestHub, until } from './hub.js';

/** Keeps every batch of a hub waiting that touches the stock of a book; gives the way to let it go. */
export async function hold({ database }: TestHub): Promise<() => Promise<void>> {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isHeld = false;
  const done = database.transaction(async (tx) => {
    await tx.query(`SELECT stock FROM book_stock${database.dialect.forUpdate}`);
    isHeld = true;
    await held;
  });
  await until('the stock is held', () => isHeld);
  return async () => {
    letGo();
    await done;
  };
}
