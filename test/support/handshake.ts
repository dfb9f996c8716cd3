import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { RoomReadyPush } from '../../src/contract/rooms.js';
import type { TestHub } from './hub.js';

const ANSWER_WITHIN_MS = 10_000;

export interface HandshakeResult {
  ready?: RoomReadyPush;
  /** The `connect_error`. */
  error?: Error & { data?: ErrorBody };
  /** Whether the hub closed the transport without deciding. */
  isClosed?: true;
}

interface HandshakeOptions {
  transports?: ('websocket' | 'polling')[];
  headers?: Record<string, string>;
}

/** Attempts a handshake with any value as its `auth`, and disconnects once it is accepted or refused. */
export async function knock(
  hub: TestHub,
  auth: unknown,
  { transports = ['websocket'], headers }: HandshakeOptions = {},
): Promise<HandshakeResult> {
  const socket: Socket = io(hub.url, {
    auth: auth as Record<string, unknown>,
    transports,
    reconnection: false,
    forceNew: true,
    ...(headers ? { extraHeaders: headers } : {}),
  });
  try {
    return await new Promise<HandshakeResult>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The handshake was never settle')), ANSWER_WITHIN_MS);
      const settle = (result: HandshakeResult) => {
        clearTimeout(timer);
        resolve(result);
      };
      socket.once('room:ready', (ready: RoomReadyPush) => settle({ ready }));
      socket.once('connect_error', (error) => settle({ error }));
      socket.once('disconnect', () => settle({ isClosed: true }));
    });
  } finally {
    socket.disconnect();
  }
}
