import type { Server, Socket } from 'socket.io';
import type { Last } from '../contract/rooms.js';
import type { ClientToServer, ServerToClient } from '../contract/wire.js';
import type { Caller } from './caller.js';
import type { Reading } from './reading.js';
import type { TokenBucket } from './token.bucket.js';
import type { Unsent } from './unsent.js';

interface SocketData {
  caller: Caller;
  last: Last | undefined;
  /** What it may send yet. */
  messages: TokenBucket;
  unsent: Unsent;
  reading: Reading;
  /** Resolves when every message of this socket so far has been answered. None while nothing waits. */
  answered: Promise<void> | undefined;
}

export type HubServer = Server<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
export type HubSocket = Socket<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
