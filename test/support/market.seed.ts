import type { TestHub } from './hub.js';
import type { Person } from './person.js';

const BALANCE = 1_000_000;
/** Stock of most books: more than any run sells. */
const AMPLE = 1_000_000;
/** Stock of the contended book. */
export const SCARCE = 20;
export const BOOKS_A_STORE = 4;
const CLERKS_A_SELLER = 2;

/** A seller has a `storeId`; of others it is empty. */
export interface MarketUser {
  userId: string;
  token: string;
  storeId: string;
  /** The seller of whose staff the user is. */
  actingFor?: string;
}

/** Registers sellers with stocked stores, buyers with money, and for each of some sellers two users who are to be the staff. */
export async function seedMarket(
  hub: TestHub,
  { sellers, buyers, staffed = 0 }: { sellers: number; buyers: number; staffed?: number },
): Promise<MarketUser[]> {
  const users: Pick<Person, 'userId' | 'token' | 'storeId'>[] = [];
  for (let index = 0; index < sellers; index++) {
    const stocks = Array.from({ length: BOOKS_A_STORE }, (_, book) => (book === 0 ? SCARCE : AMPLE));
    users.push(await hub.seller(stocks.map((stock, book) => ({ stock, price: 100 + 50 * book }))));
  }
  const clerks: MarketUser[] = [];
  for (const { userId: actingFor } of users.slice(0, staffed)) {
    for (let index = 0; index < CLERKS_A_SELLER; index++) {
      const { userId, token, storeId } = await hub.person(hub.name('clerk'));
      clerks.push({ userId, token, storeId, actingFor });
    }
  }
  for (let index = 0; index < buyers; index++) users.push(await hub.buyer(BALANCE));
  return [...users.map(({ userId, token, storeId }) => ({ userId, token, storeId })), ...clerks];
}
