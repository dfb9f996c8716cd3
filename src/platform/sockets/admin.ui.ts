import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Server } from 'socket.io';
import type { SecurityLog } from '../observability/security.log.js';

const NAMESPACE = '/admin';
const USERNAME = 'admin';
const SESSION_BYTES = 32;

/** Provides an `AdminUi`, or nothing without an admin password. */
export const ADMIN_UI = Symbol('ADMIN_UI');
/** Adds the admin UI's namespace to a server. */
export type AdminUi = (server: Server, security: SecurityLog) => void;

/**
 * Socket.IO's admin UI. Without a password neither its namespace nor its code is loaded. It receives counts only (sockets,
 * packets, bytes): in its development mode it would receive every message and all socket data, and could emit as the hub.
 */
export async function createAdminUi(password: string | undefined): Promise<AdminUi | undefined> {
  if (password === undefined) return undefined;
  const { instrument } = await import('@socket.io/admin-ui');
  const session = randomBytes(SESSION_BYTES).toString('base64url');
  return (server, security) => {
    // The library's own check crashes the process on a password that is not a string.
    server.of(NAMESPACE).use((socket, next) => {
      const { auth, address } = socket.handshake;
      if (matches(auth.sessionId, session) || (auth.username === USERNAME && matches(auth.password, password))) {
        // Lets the page reconnect without storing the password.
        socket.emit('session', session);
        next();
      } else {
        security.record('admin-refused', { address });
        next(new Error('invalid credentials'));
      }
    });
    instrument(server, { namespaceName: NAMESPACE, auth: false, mode: 'production', readonly: true });
  };
}

/** Compares in constant time. */
function matches(sent: unknown, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(typeof sent === 'string' ? sent : ''), digest(secret));
}
