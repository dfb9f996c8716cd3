import type { Order } from '../src/contract/orders.js';
import type { DeliverTo } from '../src/contract/words.js';
import { rememberAddress } from './address.book.js';
import type { Basket } from './cart.js';
import { hub } from './hub.js';
import { runCommand } from './order.commands.js';
import { placeBasket, placing } from './place.order.js';
import { identityOf, session } from './session.js';
import { Store } from './store.js';

/** The orders of the last checkout of several stores, by their ids, until they are dismissed. */
export const placedOrders = new Store<readonly string[]>([]);
/** Whether a checkout of several stores is under way. */
export const isCheckingOut = new Store(false);
/** Why a store's basket could not be ordered: an error by store. */
export const placeErrors = new Store<ReadonlyMap<string, unknown>>(new Map());

let user = identityOf(session.get());
session.subscribe(() => {
  const next = identityOf(session.get());
  if (next === user) return;
  user = next;
  placedOrders.set([]);
  placeErrors.set(new Map());
});

/** Orders one basket. Resolves with undefined if it could not be ordered: `placeErrors` then holds the reason. */
export async function orderBasket(basket: Basket, deliverTo: DeliverTo | undefined): Promise<Order | undefined> {
  const { storeId } = basket;
  if (placing.get().has(storeId)) return undefined;
  const identity = identityOf(session.get());
  placeErrors.update((errors) => new Map([...errors].filter(([other]) => other !== storeId)));
  try {
    const order = await placeBasket(basket, deliverTo);
    if (deliverTo) rememberAddress();
    return order;
  } catch (error) {
    // Another user does not read why this one's order failed.
    if (identity === identityOf(session.get())) {
      placeErrors.update((errors) => new Map(errors).set(storeId, error));
    }
    return undefined;
  }
}

/**
 * Orders every basket, and pays the orders from the wallet in the cart's order, as far as the money goes. An order that is not
 * paid is shown with its reason and can be paid later.
 */
export async function checkOut(baskets: readonly Basket[], deliverTo: DeliverTo | undefined): Promise<void> {
  if (isCheckingOut.get()) return;
  const identity = identityOf(session.get());
  isCheckingOut.set(true);
  try {
    placedOrders.set([]);
    const answers = await Promise.all(baskets.map((basket) => orderBasket(basket, deliverTo)));
    if (identity !== identityOf(session.get())) return;
    const orders = answers.filter((order) => order !== undefined);
    placedOrders.set(orders.map(({ orderId }) => orderId));
    for (const { orderId, total } of orders) {
      await runCommand('buyer', orderId, 'pay', () => hub().pay({ orderId, expectedTotal: total }));
    }
  } finally {
    isCheckingOut.set(false);
  }
}
