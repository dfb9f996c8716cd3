import type { Answer, CommandMessageName, Data, MessageName, Request } from '../../contract/wire.js';
import type { Caller } from '../caller.js';

/** The method that handles a message: `order:pay` is handled by `pay`. */
type MethodOf<Name extends MessageName> = Name extends `${string}:${infer Method}` ? Method : never;

/**
 * What a gateway implements: a method for each message of the contract, so that a missing one does not compile. Commands return
 * an answer, which may be an error or a replay; reads return data, and throw a `HubError`.
 */
export type MessageHandlers = {
  [Name in MessageName as MethodOf<Name>]: (
    caller: Caller,
    request: Request<Name>,
  ) => Promise<Name extends CommandMessageName ? Answer<Data<Name>> : Data<Name>>;
};

/** A method of a gateway, bound to its instance. */
export type MessageHandler = (caller: Caller, request: unknown) => Promise<unknown>;
