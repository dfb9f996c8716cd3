// Shared by the examples: the hub's URL, signing up, and formatting prices.
import process from 'node:process';
import { createApi } from 'order-hub/client';

export const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';

// A HubError carries the hub's reason as its message, for example "This store id is taken."
process.on('uncaughtException', (error) => {
  if (error.code === 'UNAVAILABLE')
    console.error(`No hub answers at ${url}. Start one with npm start, or set HUB_URL.`);
  else console.error(`${error.code ?? error.name}: ${error.message}`);
  process.exit(1);
});

/** Registers a new user and logs in. Resolves with the token that authenticates the API and the socket. */
export async function signUp(userId) {
  const api = createApi({ url });
  const password = crypto.randomUUID();
  await api.call('register', { userId, password });
  const { token } = await api.call('login', { userId, password, terminal: 'example' });
  return token;
}

export function formatMoney(cents) {
  return (cents / 100).toFixed(2);
}
