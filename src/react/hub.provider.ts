import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useRef } from 'react';
import { type HubSession, HubSource } from './hub.source.js';

export const HubContext = createContext<HubSource | undefined>(undefined);

export interface HubProviderProps extends HubSession {
  children?: ReactNode;
}

/**
 * Connects the components below it to the hub: one connection, closed when it is unmounted. Another `url`, `token`, `for` or
 * `path` makes a new one, with nothing loaded; `storage` is read when a connection is made.
 */
export function HubProvider({ children, url, token, for: ownerId, path, storage }: HubProviderProps) {
  const latestStorage = useRef(storage);
  latestStorage.current = storage;
  const source = useMemo(
    () =>
      new HubSource({
        ...{ url, token },
        ...(ownerId === undefined ? {} : { for: ownerId }),
        ...(path === undefined ? {} : { path }),
        ...(latestStorage.current === undefined ? {} : { storage: latestStorage.current }),
      }),
    [url, token, ownerId, path],
  );
  useEffect(() => source.hold(), [source]);
  return createElement(HubContext.Provider, { value: source }, children);
}

/** The page's connection, for what has no hook: its `client`, `request` and `subscribe`. */
export function useHub(): HubSource {
  const source = useContext(HubContext);
  if (!source) throw new Error('There is no HubProvider above this component.');
  return source;
}
