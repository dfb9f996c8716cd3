import { newKey } from '../src/client/retry.js';
import { EMPTY_ADDRESS, isAddressEmpty, type TypedAddress } from './address.js';
import { renewKeys } from './cart.js';
import { needsAddress, sessionEnded } from './hub.js';
import { session } from './session.js';
import { persistedStore, Store } from './store.js';

export interface SavedAddress {
  id: string;
  address: TypedAddress;
}

/** In place of a saved address: the one being typed, or none. */
export const TYPED = 'typed';
export const NONE = 'none';
const SAVED_MAX = 20;

/** The addresses that this device keeps for its user, until the user logs out. The first is the default. */
export const savedAddresses = persistedStore<SavedAddress[]>('addresses', []);
export const typedAddress = persistedStore<TypedAddress>('address-typed', EMPTY_ADDRESS);
/** Whether the typed address is saved once an order goes there. */
export const savesTyped = persistedStore<boolean>('address-saves', true);
/** The id of a saved address, `TYPED` or `NONE`; null until the user has chosen. */
export const chosenAddress = persistedStore<string | null>('address-chosen', null);
/** While a saved address is being changed, nothing is ordered: it would go to the address as it was. */
export const isEditingAddress = new Store(false);
/** Who has seen the addresses; null while nobody has logged in. */
const addressUser = persistedStore<string | null>('address-user', session.get()?.userId ?? null);

/** What was typed before a login, or before a session ended by itself, is there after it; but never for another user. */
session.subscribe(() => {
  const userId = session.get()?.userId ?? null;
  if (userId === null && sessionEnded.get()) return;
  if (addressUser.get() !== null && addressUser.get() !== userId) {
    savedAddresses.set([]);
    typedAddress.set(EMPTY_ADDRESS);
    chosenAddress.set(null);
  }
  addressUser.set(userId);
});

/** The chosen address: what the user chose, or the default where that is gone. */
export function choiceOf(saved: readonly SavedAddress[], chosen: string | null): string {
  const exists = chosen === TYPED || (chosen === NONE && !needsAddress.get()) || saved.some(({ id }) => id === chosen);
  return exists && chosen !== null ? chosen : (saved[0]?.id ?? TYPED);
}

/** Where the next order is sent. */
export function deliveryAddress(): TypedAddress {
  const choice = choiceOf(savedAddresses.get(), chosenAddress.get());
  if (choice === TYPED) return typedAddress.get();
  return savedAddresses.get().find(({ id }) => id === choice)?.address ?? EMPTY_ADDRESS;
}

/** An order that is sent to another address is another order. */
export function typeAddress(change: Partial<TypedAddress>): void {
  typedAddress.update((before) => ({ ...before, ...change }));
  renewKeys();
}

export function chooseAddress(choice: string): void {
  chosenAddress.set(choice);
  renewKeys();
}

export function editAddress(id: string, address: TypedAddress): void {
  savedAddresses.update((saved) => saved.map((one) => (one.id === id ? { id, address } : one)));
  renewKeys();
}

/** Removes a saved address, and returns the function that brings it back. */
export function deleteAddress(id: string): () => void {
  const before = { saved: savedAddresses.get(), chosen: chosenAddress.get() };
  savedAddresses.set(before.saved.filter((one) => one.id !== id));
  renewKeys();
  return () => {
    savedAddresses.set(before.saved);
    chosenAddress.set(before.chosen);
    renewKeys();
  };
}

export function makeDefault(id: string): void {
  chooseAddress(choiceOf(savedAddresses.get(), chosenAddress.get()));
  savedAddresses.update((saved) => [...saved].sort((one, other) => Number(other.id === id) - Number(one.id === id)));
}

export function isFull(saved: readonly SavedAddress[]): boolean {
  return saved.length >= SAVED_MAX;
}

/** After an order: the typed address becomes a saved one, if the user has it so. The next order goes there as well. */
export function rememberAddress(): void {
  const choice = choiceOf(savedAddresses.get(), chosenAddress.get());
  if (choice === TYPED && savesTyped.get() && saveAddress(typedAddress.get())) typedAddress.set(EMPTY_ADDRESS);
}

function saveAddress(address: TypedAddress): boolean {
  const saved = savedAddresses.get();
  const existing = saved.find((one) => isSame(one.address, address));
  if (isAddressEmpty(address) || (!existing && isFull(saved))) return false;
  const { id } = existing ?? { id: newKey() };
  if (!existing) savedAddresses.set([...saved, { id, address }]);
  chosenAddress.set(id);
  return true;
}

function isSame(one: TypedAddress, other: TypedAddress): boolean {
  return Object.entries(one).every(([field, text]) => text.trim() === other[field as keyof TypedAddress].trim());
}

/** Earlier pages kept one address, as it was typed. */
function takeOverFormer(): void {
  const former = persistedStore<TypedAddress | null>('address', null);
  const address = { ...EMPTY_ADDRESS, ...former.get() };
  if (former.get() === null) return;
  former.set(null);
  if (address.name.trim() !== '' && address.lines.trim() !== '') saveAddress(address);
  else if (!isAddressEmpty(address)) typedAddress.set(address);
}
takeOverFormer();
