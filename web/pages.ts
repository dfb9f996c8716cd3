import type { Page } from '../src/contract/fields.js';

/** Reads a list page by page, until its end or until `use` returns false. */
export async function forEachPage<Item>(
  load: (cursor: { after?: string }) => Promise<Page<Item>>,
  use: (page: Page<Item>) => boolean,
): Promise<void> {
  let after: string | null = null;
  do {
    const page: Page<Item> = await load(after === null ? {} : { after });
    if (!use(page)) return;
    after = page.next;
  } while (after !== null);
}

/** All items of a list, however long it is. */
export async function readAll<Item>(load: (cursor: { after?: string }) => Promise<Page<Item>>): Promise<Item[]> {
  const all: Item[] = [];
  await forEachPage(load, ({ items }) => {
    for (const item of items) all.push(item);
    return true;
  });
  return all;
}
