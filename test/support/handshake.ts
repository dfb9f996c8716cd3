import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { RoomReadyPush } from '../../src/contract/rooms.js';
import type { TestHub } from './hub.js';

const ADMITTED_WITHIN_MS = 10_000;

export interface Admission {
  ready?: RoomReadyPush;
  /** What `connect_error` said. */
  error?: Error & { data?: ErrorBody };
}

interface HandshakeOptions {
  transports?: ('websocket' | 'polling')[];
  headers?: Record<string, string>;
}

/** Knocks with anything at all as the handshake's `auth`, and leaves again when the door has answered. */
export async function knock(
  hub: TestHub,
  auth: unknown,
  { transports = ['websocket'], headers }: HandshakeOptions = {},
): Promise<Admission> {
  const socket: Socket = io(hub.url, {
    auth: auth as Record<string, unknown>,
    transports,
    reconnection: false,
    forceNew: true,
    ...(headers ? { extraHeaders: headers } : {}),
  });
  try {
    return await new Promise<Admission>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The door never answered')), ADMITTED_WITHIN_MS);
      const answered = (admission: Admission) => {
        clearTimeout(timer);
        resolve(admission);
      };
      socket.once('room:ready', (ready: RoomReadyPush) => answered({ ready }));
      socket.once('connect_error', (error) => answered({ error }));
    });
  } finally {
    socket.disconnect();
  }
}
