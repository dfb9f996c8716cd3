import type { ErrorBody, FieldError } from '../../src/contract/errors.js';
import type { TestHub } from './hub.js';
import { Person } from './person.js';

/** The body of every failed HTTP response. */
export interface Failure {
  error: ErrorBody;
}

/** An unauthenticated person. */
export function stranger(hub: TestHub): Person {
  return new Person(hub, 'stranger', '');
}

/** The distinct field paths in a `BAD_MESSAGE`, sorted. */
export function faultPaths({ details }: ErrorBody): string[] {
  return [...new Set((details as FieldError[]).map(({ path }) => path))].sort();
}

export function repeated(character: string, times: number): string {
  return Array.from({ length: times }, () => character).join('');
}
