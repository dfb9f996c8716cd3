import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Server } from 'socket.io';
import type { SecurityLog } from './security.log.js';

const NAMESPACE = '/admin';
const USERNAME = 'admin';
const SESSION_BYTES = 32;

/** Gives a server the namespace of the admin UI. */
export type AdminUi = (server: Server, security: SecurityLog) => void;

/**
 * Socket.IO's admin UI, when there is a password for it; without one neither its namespace nor its code is there. It is told
 * counts only: how many sockets, packets and bytes. In its other mode it would be sent every message, and all that the hub
 * knows of each socket, and could speak in the hub's name.
 */
export async function adminUi(password: string | undefined): Promise<AdminUi | undefined> {
  if (password === undefined) return undefined;
  const { instrument } = await import('@socket.io/admin-ui');
  const session = randomBytes(SESSION_BYTES).toString('base64url');
  return (server, security) => {
    // The library's own check never answers, and ends the process, if what is sent as the password is no text.
    server.of(NAMESPACE).use((socket, next) => {
      const { auth, address } = socket.handshake;
      if (isSame(auth.sessionId, session) || (auth.username === USERNAME && isSame(auth.password, password))) {
        // With this the page comes back without keeping the password.
        socket.emit('session', session);
        next();
      } else {
        security.tell('admin-refused', { address });
        next(new Error('invalid credentials'));
      }
    });
    instrument(server, { namespaceName: NAMESPACE, auth: false, mode: 'production', readonly: true });
  };
}

/** Takes as long whatever was sent. */
function isSame(sent: unknown, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(typeof sent === 'string' ? sent : ''), digest(secret));
}
