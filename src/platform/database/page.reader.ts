import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Page } from '../../contract/fields.js';
import { BYTES_PER_ROW, ReadLimiter } from '../limits/read.limiter.js';
import { cacheJson } from '../sockets/json.cache.js';

/** A row of a list, measured before it is read. */
export interface MeasuredRow<Key> {
  key: Key;
  bytes: number;
}

interface PageRequest<Key, Item> {
  /** Whose read it is: see read.limiter.ts. */
  readKey: string;
  /** At most one more than `limit`, which shows whether there is a next page. */
  rows: readonly MeasuredRow<Key>[];
  limit: number;
  /** The items of these rows, in their order. */
  read(keys: Key[]): Promise<Item[]>;
  cursorOf(key: Key): string;
  /** Where to go on, if there may be more than the rows tell. */
  more?: string | undefined;
}

/** A page that is larger ends earlier; `next` leads on. At least one item is always in it. */
export const PAGE_BYTES_MAX = 2_097_152;
/** Read and serialized in some three milliseconds, after which others have their turn. */
const SLICE_BYTES_MAX = 262_144;

/**
 * Reads the pages of lists whose rows can be large: no more than `PAGE_BYTES_MAX` of one, a slice at a time, so that neither the
 * database nor the event loop is taken by one client.
 */
@Injectable()
export class PageReader {
  constructor(private readonly reads: ReadLimiter) {}

  async read<Key, Item>({ readKey, rows, limit, read, cursorOf, more }: PageRequest<Key, Item>): Promise<Page<Item>> {
    const [page = []] = split(rows.slice(0, limit), PAGE_BYTES_MAX);
    const items: Item[] = [];
    const texts: string[] = [];
    for (const [index, slice] of split(page, SLICE_BYTES_MAX).entries()) {
      await this.reads.spend(readKey, sizeOf(slice));
      if (index > 0) await setImmediate();
      const some = await read(slice.map(({ key }) => key));
      items.push(...some);
      if (some.length > 0) texts.push(JSON.stringify(some).slice(1, -1));
    }
    const last = page.at(-1);
    const next = rows.length > page.length && last !== undefined ? cursorOf(last.key) : (more ?? null);
    return cacheJson({ items, next }, `{"items":[${texts.join()}],"next":${JSON.stringify(next)}}`);
  }
}

/** Splits the rows, in their order, into chunks of at most `bytesMax` bytes. A larger row is a chunk by itself. */
export function split<Key>(rows: readonly MeasuredRow<Key>[], bytesMax: number): MeasuredRow<Key>[][] {
  const lists: MeasuredRow<Key>[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    bytes += row.bytes;
    if (bytes > bytesMax) {
      lists.push([]);
      bytes = row.bytes;
    }
    lists.at(-1)?.push(row);
  }
  return lists;
}

/** What reading the rows takes, in bytes. */
export function sizeOf(rows: readonly MeasuredRow<unknown>[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes + BYTES_PER_ROW, 0);
}
