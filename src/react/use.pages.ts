import type { Page } from '../contract/fields.js';
import { useHub } from './hub.provider.js';
import { type Pages, usePagesOf } from './use.pages.of.js';

/** Loads a paginated list: the first page on mount, when `key` changes and after an invalidation; further ones on demand. */
export function usePages<Item>(key: string, loadPage: (after?: string) => Promise<Page<Item>>): Pages<Item> {
  return usePagesOf(useHub(), key, loadPage);
}
