import type { SearchField } from '../contract/shop.js';
import type { BookView } from '../contract/stores.js';
import { useHub } from './hub.provider.js';
import { usePages } from './use.pages.js';
import type { Pages } from './use.pages.of.js';

export interface BookSearch {
  /** All stores by default. */
  storeId?: string | undefined;
  /** Words of a title, an author, an ISBN …; all books without it. */
  q?: string | undefined;
  /** Where to look for them: everywhere by default. */
  field?: SearchField | undefined;
  /** Books a page: 20 by default, at most 100. */
  limit?: number | undefined;
}

/** The books of all stores or of one, or those that a search finds, page by page. */
export function useBooks({ storeId, q = '', field, limit }: BookSearch = {}): Pages<BookView> {
  const { request } = useHub();
  return usePages<BookView>(JSON.stringify([storeId, q, field, limit]), (after) => {
    const search = {
      ...(limit === undefined ? {} : { limit }),
      ...(q === '' ? {} : { q }),
      ...(q !== '' && field !== undefined ? { field } : {}),
      ...(after === undefined ? {} : { after }),
    };
    return storeId === undefined ? request('books', search) : request('storeBooks', { storeId, ...search });
  });
}
