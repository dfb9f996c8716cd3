import { useEffect } from 'react';
import { readStore } from './read.shop.js';
import { Store, useStore } from './store.js';

/** Cached store names. When the cache is full it is cleared, and names are requested again as they are shown. */
const NAMES_MAX = 500;
const names = new Store<ReadonlyMap<string, string>>(new Map());
const inFlight = new Set<string>();

/** A store's display name; its id until the name is loaded, or where it has none. */
export function useStoreName(storeId: string): string {
  const name = useStore(names).get(storeId);
  useEffect(() => {
    if (name === undefined) loadName(storeId);
  }, [storeId, name]);
  return name ?? storeId;
}

async function loadName(storeId: string): Promise<void> {
  if (inFlight.has(storeId)) return;
  inFlight.add(storeId);
  try {
    const { name } = await readStore(storeId);
    names.update((cached) => new Map(cached.size < NAMES_MAX ? cached : []).set(storeId, name ?? storeId));
  } catch {
    // The id is shown instead; the next component that shows this store tries again.
  }
  inFlight.delete(storeId);
}
