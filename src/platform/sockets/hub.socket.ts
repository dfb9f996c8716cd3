import type { Server, Socket } from 'socket.io';
import type { Last } from '../../contract/rooms.js';
import type { ClientToServer, ServerToClient } from '../../contract/wire.js';
import type { Caller } from '../caller.js';
import type { TokenBucket } from '../limits/token.bucket.js';
import type { ReadControl } from './read.control.js';
import type { SendBuffer } from './send.buffer.js';

interface SocketData {
  caller: Caller;
  last: Last | undefined;
  messageBucket: TokenBucket;
  sendBuffer: SendBuffer;
  readControl: ReadControl;
  /** Resolves when every message of this socket so far is answered; undefined while none is pending. */
  lastAnswered: Promise<void> | undefined;
}

export type HubServer = Server<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
export type HubSocket = Socket<ClientToServer, ServerToClient, Record<string, never>, SocketData>;
