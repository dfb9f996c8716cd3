import type { ErrorBody, Fault } from '../../src/contract/errors.js';
import type { TestHub } from './hub.js';
import { Person } from './person.js';

/** What every failure over HTTP looks like. */
export interface Failure {
  error: ErrorBody;
}

/** Somebody without a token. */
export function stranger(hub: TestHub): Person {
  return new Person(hub, 'stranger', '');
}

/** Where the faults of a `BAD_MESSAGE` are, sorted, each place once. */
export function faultPaths({ details }: ErrorBody): string[] {
  return [...new Set((details as Fault[]).map(({ path }) => path))].sort();
}

export function repeated(character: string, times: number): string {
  return Array.from({ length: times }, () => character).join('');
}
