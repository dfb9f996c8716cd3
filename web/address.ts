import type { DeliverTo } from '../src/contract/words.js';

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
