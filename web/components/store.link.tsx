import { linkTo } from '../route.js';
import { useStoreName } from '../store.names.js';

/** A store's name, linked to its books. */
export function StoreLink({ storeId }: { storeId: string }) {
  return <a href={linkTo('store', storeId)}>{useStoreName(storeId)}</a>;
}
