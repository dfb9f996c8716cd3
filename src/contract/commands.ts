import type { CreatedTopup, CreateTopupRequest, PayoutStatus, TopupStatus } from './payments.js';
import type { ChangeStoreRequest } from './store.policy.js';
import type { AddStockRequest, BookView, StoreView } from './stores.js';
import type { DepositRequest, MovementRequest, WalletBalance } from './wallet.js';
import type { CommandMessageName, Data, Request } from './wire.js';

type Keyless<Request> = Omit<Request, 'key'>;

/** A provider's word on a top-up. The user and the order are those of its row, which never change. */
export interface TopupOutcome {
  topupId: string;
  userId: string;
  orderId: string | null;
  /** The provider's event, or the state that it was asked for. Each has one effect at most. */
  eventId: string;
  /** What was paid, in minor units of that currency; null if nothing was and nothing will be. */
  paid: { amount: number; currency: string } | null;
}

/** A provider's word on the payout of a withdrawal. */
export interface PayoutOutcome {
  payoutId: string;
  userId: string;
  isPaid: boolean;
}

/**
 * Every command, with what it carries besides its idempotency key and what its answer holds. Commands are what changes stock,
 * money, an order's status or a store's policy: all messages but the reads, the routes that take a key, and that of a store.
 */
export type CommandTypes = {
  [Name in CommandMessageName]: { request: Keyless<Request<Name>>; data: Data<Name> };
} & {
  'wallet:deposit': { request: Keyless<DepositRequest>; data: WalletBalance };
  'wallet:withdraw': { request: Keyless<MovementRequest>; data: WalletBalance };
  'topup:create': { request: Keyless<CreateTopupRequest>; data: CreatedTopup };
  'stock:add': { request: Keyless<AddStockRequest>; data: BookView };
  'store:change': { request: ChangeStoreRequest; data: StoreView };
  /** The hub's own, never on the wire: an order's time has come. */
  'order:timeout': { request: { orderId: string }; data: Data<'order:cancel'> };
  /** Internal: the outcome of a top-up or of a payout, as the payment provider reported it. */
  'topup:settle': { request: TopupOutcome; data: { status: TopupStatus; isDisputed: boolean } };
  'payout:settle': { request: PayoutOutcome; data: { status: PayoutStatus } };
};
export type CommandName = keyof CommandTypes;
export type CommandRequest<Name extends CommandName> = CommandTypes[Name]['request'];
export type CommandData<Name extends CommandName> = CommandTypes[Name]['data'];
