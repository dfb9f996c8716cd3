import { useEffect } from 'react';
import { ask } from './hub.js';
import { Store, useStore } from './store.js';

/** What stores are called, of those that somebody has seen here. Past this they are asked for again. */
const NAMES_MAX = 500;
const names = new Store<ReadonlyMap<string, string>>(new Map());
const asked = new Set<string>();

/** The name that a store has for people; its id until that is known, or where it has none. */
export function useStoreName(storeId: string): string {
  const name = useStore(names).get(storeId);
  useEffect(() => {
    if (name === undefined) learn(storeId);
  }, [storeId, name]);
  return name ?? storeId;
}

async function learn(storeId: string): Promise<void> {
  if (asked.has(storeId)) return;
  asked.add(storeId);
  try {
    const { name } = await ask('store', { storeId });
    names.change((known) => new Map(known.size < NAMES_MAX ? known : []).set(storeId, name ?? storeId));
  } catch {
    // It is called by its id, until it is seen again.
  }
  asked.delete(storeId);
}
