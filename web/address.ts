import type { DeliverTo } from '../src/contract/words.js';
import { renewKeys } from './cart.js';
import { session } from './session.js';
import { persistedStore } from './store.js';

/** The address as typed: its lines in one text. */
export type TypedAddress = Record<'name' | 'lines' | 'city' | 'region' | 'postcode' | 'country' | 'phone', string>;

const EMPTY: TypedAddress = { name: '', lines: '', city: '', region: '', postcode: '', country: '', phone: '' };

/** Where this device's user has orders sent, until the user logs out. */
export const typedAddress = persistedStore<TypedAddress>('address', EMPTY);

session.subscribe(() => {
  if (session.get() === null) typedAddress.set(EMPTY);
});

/** An order that is sent to another address is another order. */
export function typeAddress(change: Partial<TypedAddress>): void {
  typedAddress.update((before) => ({ ...before, ...change }));
  renewKeys();
}

export function isAddressEmpty(address: TypedAddress): boolean {
  return Object.values(address).every((text) => text.trim() === '');
}

/** The address to send, undefined if nothing was typed. */
export function toDeliverTo({ lines, name, ...others }: TypedAddress): DeliverTo | undefined {
  if (isAddressEmpty({ lines, name, ...others })) return undefined;
  const given = Object.entries(others).flatMap(([field, text]) => (text.trim() === '' ? [] : [[field, text.trim()]]));
  const split = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return { name: name.trim(), lines: split, ...Object.fromEntries(given) };
}
