import type { CommandData, CommandName, CommandRequest } from '../contract/commands.js';
import type { HubError } from '../contract/errors.js';
import type { Role } from '../contract/transitions.js';
import type { Answer } from '../contract/wire.js';
import type { Command } from './command.js';
import type { Change, EventNumbers, UnitOfWork } from './unit.of.work.js';

/** Rows that a command reads or changes, by their keys. Those that can change are locked until the batch commits. */
export interface RowKeys {
  orders?: readonly string[];
  /** Books by store and id; their stock, and the owners and policies of their stores, come with them. */
  books?: readonly [storeId: string, bookId: string][];
  /** Books by number, for orders that name them so. */
  bookNos?: readonly number[];
  /** What only a reader of the book wants to know, by book number. */
  texts?: readonly number[];
  /** Stores, for their owners and policies, in case none of their books is found. */
  stores?: readonly string[];
  /** Users who may be members of a seller's staff. */
  members?: readonly [ownerId: string, userId: string][];
  /** Stores that the command changes. */
  changedStores?: readonly string[];
  wallets?: readonly string[];
  topups?: readonly string[];
  payouts?: readonly string[];
  /** Events of the payment provider, to know which top-up each has settled. */
  paymentEvents?: readonly string[];
  /** Users who need not be the actor, to know whether they are registered. */
  users?: readonly string[];
  rooms?: readonly [role: Role, userId: string][];
  /** Orders whose address is written, or to which a note is added. Neither is ever read. */
  addresses?: readonly string[];
  notes?: readonly string[];
}

/** What a rule decides: the change that the command makes, or the error that it is refused with, which changes nothing. */
export type Decision = Change | HubError;

/**
 * All that the engine knows of one command. Features implement it and register it (`CommandsModule.forFeature`). Every method
 * is pure: it sees the rows in memory, the command and the time, and neither awaits nor writes.
 */
export interface CommandHandler<Name extends CommandName = CommandName> {
  /** Begins new work. It queues behind the commands that finish what was begun, and has the smaller part of the queue. */
  readonly startsWork?: true;
  /** How many order lines it adds to its batch; 1 by default. */
  lineCount?(request: CommandRequest<Name>): number;
  /** An id for what it creates at this time. */
  newId?(now: number): string;
  /** The rows that the request names. */
  keys(command: Command<Name>): RowKeys;
  /** The rows that follow from those, once they are loaded. */
  relatedKeys?(unit: UnitOfWork, command: Command<Name>): RowKeys;
  decide(unit: UnitOfWork, command: Command<Name>, now: number): Decision;
  /** The answer's data, and the number of the caller's own event. */
  present(
    unit: UnitOfWork,
    command: Command<Name>,
    outcome: { change: Change; numbers: EventNumbers; now: number },
  ): { data: CommandData<Name>; seq?: number | undefined };
  /** How a stored answer is kept shorter than its text, where it can be rebuilt from other rows. */
  readonly replay?: AnswerReplay;
}

/** Stores a reference in place of an answer, and builds the answer from it again, word for word. */
export interface AnswerReplay {
  referenceTo(
    answer: { data: unknown; seq?: number },
    command: Pick<Command, 'actorId' | 'acting'>,
    when: Pick<UnitOfWork, 'orders'> & { now: number },
  ): object;
  /** The orders to read, unlocked: what was once said of an order never changes. */
  orderIds(reference: object): readonly string[];
  answer(rows: Pick<UnitOfWork, 'orders'>, reference: object, actorId: string): Answer<unknown>;
}

/** A handler for each of these commands: one that is missing does not compile. */
export type CommandHandlers<Names extends CommandName> = { readonly [Name in Names]: CommandHandler<Name> };
