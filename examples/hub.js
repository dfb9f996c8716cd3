// What the examples share: where the hub is, joining it, and prices as people write them.
import process from 'node:process';
import { createApi } from 'order-hub/client';

export const url = process.env.HUB_URL ?? 'http://127.0.0.1:3000';

// The hub says in a sentence why it refuses: "This store id is taken."
process.on('uncaughtException', (error) => {
  console.error(`${error.code ?? error.name}: ${error.message}`);
  process.exit(1);
});

/** Registers a new user and logs in. Gives the token that everything else needs. */
export async function join(userId) {
  const api = createApi({ url });
  const password = crypto.randomUUID();
  await api.call('register', { userId, password });
  const { token } = await api.call('login', { userId, password, terminal: 'example' });
  return token;
}

export function money(cents) {
  return (cents / 100).toFixed(2);
}
