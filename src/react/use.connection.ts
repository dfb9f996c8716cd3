import { useCallback } from 'react';
import { useHub } from './hub.provider.js';
import type { ConnectionStatus } from './hub.source.js';
import { useStore } from './store.js';

interface Connection extends ConnectionStatus {
  /** Sets `missed` to 0. */
  dismissMissed: () => void;
}

/** The state of the connection, what was missed while it was lost, and how many commands wait for their answer. */
export function useConnection(): Connection {
  const { status } = useHub();
  const dismissMissed = useCallback(() => status.update((before) => ({ ...before, missed: 0 })), [status]);
  return { ...useStore(status), dismissMissed };
}
