/** Shared by the baselines: the hub's own schema, connection pool and sessions, so that only what is compared differs. */
import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import process from 'node:process';
import { Session } from '../../src/auth/session.entity.js';
import { User } from '../../src/auth/user.entity.js';
import { OrderEntity } from '../../src/orders/order.entity.js';
import { Database } from '../../src/platform/database/database.js';
import { Book, BookStock, BookTexts, Store } from '../../src/stores/store.entity.js';
import { Wallet, WalletEntry } from '../../src/wallets/wallet.entity.js';

const entities = [User, Session, Store, Book, BookTexts, BookStock, OrderEntity, Wallet, WalletEntry];

export function openDatabase(): Promise<Database> {
  return Database.open(process.env.DATABASE_URL ?? '', entities);
}

/** Resolves a token to its user id; called once per connection. */
export function authenticator(database: Database): (token: string) => Promise<string | undefined> {
  return async (token) => {
    const tokenHash = createHash('sha256').update(token).digest('hex');
    return (await database.read.findOneBy(Session, { tokenHash }))?.userId;
  };
}

export function announce(http: Server): void {
  const address = http.address();
  if (typeof address === 'object' && address) console.log(`listening on http://127.0.0.1:${address.port}`);
}
