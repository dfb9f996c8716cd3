import { ANSWER_TIMEOUT_MS, delay, retryDelayMs } from '../src/client/retry.js';
import type { ErrorBody } from '../src/contract/errors.js';
import type { Page } from '../src/contract/fields.js';
import type { SearchField } from '../src/contract/shop.js';
import type { BookView } from '../src/contract/stores.js';
import { hubUrl } from './session.js';

interface BookSearch {
  storeId: string | undefined;
  q: string;
  field: SearchField | undefined;
  limit: number;
  after: string | undefined;
}

/** Reads a page of books by plain HTTP: the client library, which checks each request, loads after the first screen. */
export function readBooks({ storeId, q, field, limit, after }: BookSearch): Promise<Page<BookView>> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (q !== '') query.set('q', q);
  if (q !== '' && field !== undefined) query.set('field', field);
  if (after !== undefined) query.set('after', after);
  const path = storeId === undefined ? 'books' : `stores/${encodeURIComponent(storeId)}/books`;
  return read(`${path}?${query}`);
}

export function readStore(storeId: string): Promise<{ name?: string }> {
  return read(`stores/${encodeURIComponent(storeId)}`);
}

/** Reads until the hub has answered, as the client library does. Rejects with the hub's error. */
async function read<Data>(path: string): Promise<Data> {
  for (let failures = 1; ; failures++) {
    const { data, error } = await readOnce<Data>(path);
    if (error === undefined) return data as Data;
    if (!error.retryable) throw error;
    await delay(retryDelayMs(failures, error));
  }
}

/** No answer, or a proxy's. */
const UNREACHABLE = { retryable: true } as const;

async function readOnce<Data>(path: string): Promise<{ data?: Data; error?: Partial<ErrorBody> }> {
  try {
    const response = await fetch(hubUrl + path, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const answer = await response.json();
    return response.ok ? { data: answer } : { error: answer.error ?? UNREACHABLE };
  } catch {
    return { error: UNREACHABLE };
  }
}
