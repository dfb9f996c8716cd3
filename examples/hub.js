// What both examples need: registering over HTTP, and a socket whose messages are promises.
import process from 'node:process';
import { io } from 'socket.io-client';

export const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';

/** One HTTP request. A refusal is thrown, with the hub's own words. */
export async function request(method, path, { token, body } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = response.status === 204 ? undefined : await response.json();
  if (!response.ok) throw new Error(`${path}: ${answer.error.code}: ${answer.error.message}`);
  return answer;
}

/** Registers a new user and logs in. Gives the token that everything else needs. */
export async function join(userId) {
  const password = crypto.randomUUID();
  await request('POST', '/auth/register', { body: { userId, password } });
  const { token } = await request('POST', '/auth/login', { body: { userId, password, terminal: 'example' } });
  return token;
}

/**
 * Connects, and remembers the last event of each room: after a break the hub first sends what came since then, so that
 * every event arrives once, in order.
 */
export function connect(token) {
  const last = {};
  const socket = io(url, { auth: (tell) => tell({ token, last }), transports: ['websocket'] });
  socket.on('room:ready', ({ rooms }) => {
    for (const role of ['buyer', 'seller']) last[role] = rooms[role].head;
  });
  socket.on('order:status', ({ role, seq }) => {
    last[role] = seq;
  });
  return socket;
}

/** Sends a command with a key of its own until it is answered. The key makes sure that it takes effect once. */
export async function command(socket, message, payload) {
  const key = crypto.randomUUID();
  for (;;) {
    const answer = await socket
      .timeout(5_000)
      .emitWithAck(message, { ...payload, key })
      .catch(() => undefined);
    if (answer?.ok) return answer.data;
    if (answer && !answer.error.retryable) throw new Error(`${message}: ${answer.error.code}: ${answer.error.message}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
