import { to } from '../route.js';
import { useStoreName } from '../store.names.js';

/** A store by its name, leading to its books. */
export function StoreLink({ storeId }: { storeId: string }) {
  return <a href={to('store', storeId)}>{useStoreName(storeId)}</a>;
}
