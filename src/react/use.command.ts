import { useCallback, useState } from 'react';
import { type HubClient, HubError } from '../client/connect.js';
import type { Order } from '../contract/orders.js';
import { roles } from '../contract/transitions.js';
import { useHub } from './hub.provider.js';
import type { HubSource } from './hub.source.js';

/** The client's commands of an order, which resolve with the order. */
export type CommandName = Exclude<
  keyof HubClient,
  'state' | 'last' | 'seen' | 'get' | 'list' | 'read' | 'on' | 'close'
>;
type Request<Name extends CommandName> = Parameters<HubClient[Name]>[0];
type Commands = { [Name in CommandName]: (request: Request<Name>) => Promise<Order> };

export interface Command<Name extends CommandName> {
  /**
   * Sends the command until it is answered. Resolves with the order, or with `undefined` if the hub refused: `error` says why.
   * The same command again, while the first waits for its answer, is the first.
   */
  send: (request: Request<Name>) => Promise<Order | undefined>;
  isPending: boolean;
  /** Why the last command was refused. */
  error: HubError<string> | undefined;
}

/** A command of an order, `useCommand('ship')`: to send it, and to show that it waits or was refused. */
export function useCommand<Name extends CommandName>(name: Name): Command<Name> {
  const source = useHub();
  const [pending, setPending] = useState(0);
  const [error, setError] = useState<HubError<string>>();
  const send = useCallback(
    async (request: Request<Name>) => {
      setPending((before) => before + 1);
      setError(undefined);
      try {
        return await sendOnce(source, name, request);
      } catch (thrown) {
        if (!(thrown instanceof HubError)) throw thrown;
        setError(thrown);
        return undefined;
      } finally {
        setPending((before) => before - 1);
      }
    },
    [source, name],
  );
  return { send, isPending: pending > 0, error };
}

async function sendOnce<Name extends CommandName>(
  source: HubSource,
  name: Name,
  request: Request<Name>,
): Promise<Order> {
  const commands: Commands = source.client;
  const order = await source.once(JSON.stringify([name, request]), () => commands[name](request));
  // Nobody is both sides of one order.
  const { buyer } = source.orders;
  const caches = roles.map((role) => source.orders[role]).filter(({ byId }) => byId.get().has(order.orderId));
  for (const cache of name === 'place' ? [buyer] : caches) cache.upsert(order);
  return order;
}
