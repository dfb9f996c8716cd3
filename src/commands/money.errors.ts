import { HubError } from '../contract/errors.js';

/** The user's balance is smaller than what is needed; both in minor units. */
export function insufficientFunds(needed: number, balance: number): HubError {
  return new HubError('INSUFFICIENT_FUNDS', undefined, { needed, balance });
}

/** The movement would leave a balance that JSON numbers cannot hold exactly. `path` is the field that caused it. */
export function balanceOverflow(path: string): HubError {
  return HubError.badMessage([{ path, problem: 'would take a balance beyond 2^53−1' }]);
}
