import { request } from '../hub.js';
import { settings } from '../settings.js';

/** Whether users can pay in by themselves. */
export const canTopUp = settings.topUps !== 'none';
/** Whether they do so at the payment provider's page, to which `topUp` leads. */
export const topsUpAtProvider = settings.topUps === 'provider';

/** Adds money to the wallet; at the payment provider, for this order if there is one, which is then paid with it. */
export async function topUp(amount: number, orderId?: string): Promise<void> {
  if (!topsUpAtProvider) return void (await request('deposit', { amount }));
  const { next } = await request('createTopup', { amount, ...(orderId === undefined ? {} : { orderId }) });
  location.assign(next.url);
}
