import type { DeliverTo } from '../src/contract/words.js';
import { renewKeys } from './cart.js';
import { sessionEnded } from './hub.js';
import { session } from './session.js';
import { persistedStore } from './store.js';

/** The address as typed: its lines in one text. */
export type TypedAddress = Record<'name' | 'lines' | 'city' | 'region' | 'postcode' | 'country' | 'phone', string>;

export const EMPTY_ADDRESS: TypedAddress = {
  name: '',
  lines: '',
  city: '',
  region: '',
  postcode: '',
  country: '',
  phone: '',
};

/** Where this device's user has orders sent, until the user logs out. */
export const typedAddress = persistedStore<TypedAddress>('address', EMPTY_ADDRESS);
/** Who has seen the address; null while nobody has logged in. */
const addressUser = persistedStore<string | null>('address-user', session.get()?.userId ?? null);

/** What was typed before a login, or before a session ended by itself, is there after it; but never for another user. */
session.subscribe(() => {
  const userId = session.get()?.userId ?? null;
  if (userId === null && sessionEnded.get()) return;
  if (addressUser.get() !== null && addressUser.get() !== userId) typedAddress.set(EMPTY_ADDRESS);
  addressUser.set(userId);
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

/** An address as the fields of a form show it. */
export function toTyped({ lines, ...others }: DeliverTo): TypedAddress {
  const given = Object.entries(others).filter(([, text]) => text !== undefined);
  return { ...EMPTY_ADDRESS, ...Object.fromEntries(given), lines: lines.join('\n') };
}
