import { z } from 'zod';
import * as field from './fields.js';
import { operatorRights, rights } from './rights.js';
import type { RouteRow } from './row.js';

export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_CHARACTERS_MAX = 256;
export const TERMINAL_CHARACTERS_MAX = 100;
export const API_KEYS_PER_USER_MAX = 100;

/** A new password. Every character is allowed and significant. */
const newPassword = field
  .text(PASSWORD_CHARACTERS_MAX, { min: PASSWORD_CHARACTERS_MIN, controls: true })
  .meta({ description: 'The new password.', examples: ['correct horse battery'] });
/** An existing password. No minimum length: a password that is too short is wrong, not invalid. */
export const passwordAgain = field
  .text(PASSWORD_CHARACTERS_MAX, { controls: true })
  .meta({ description: 'The current password.', examples: ['correct horse battery'] });
const expiresAt = field.time.describe('When the session expires.');
const terminal = field.example('phone').describe('The name that the device sent when it logged in.');

export const registerRequest = z.strictObject({ userId: field.newUserId, password: newPassword });
export const registered = z.strictObject({ userId: field.userId });
export const loginRequest = z.strictObject({
  userId: field.userId,
  password: passwordAgain,
  terminal: field
    .text(TERMINAL_CHARACTERS_MAX)
    .meta({ description: 'A name for this device, to tell the user’s sessions apart.', examples: ['phone'] })
    .optional(),
});
export const loggedIn = z.strictObject({
  token: z.string().meta({
    description:
      'Authenticates every other request: `Authorization: Bearer <token>` over HTTP, `auth.token` in the socket’s handshake.',
    examples: ['k3XzHc5yQ0yM7b1n2dW9sLr4TfVaPeGu8iOjBqCxZ6E'],
  }),
  expiresAt,
  userId: field.userId,
});
export const session = z.strictObject({
  userId: field.userId,
  terminal: terminal.nullable(),
  expiresAt: expiresAt.nullable().describe('When it expires; null for an API key that never does.'),
});
export const passwordRequest = z.strictObject({ oldPassword: passwordAgain, newPassword });
const keyName = field.text(500).meta({ description: 'What the key is for.', examples: ['till 2'] });
const keyId = field.example('0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36').describe('The key’s id.');
const keyRight = z.enum(rights);
const keyExpiresAt = field.time.nullable().describe('When the key expires; null for never.');
const createdAt = field.time.describe('When it was created.');
export const createKeyRequest = z.strictObject({
  name: keyName,
  rights: z
    .array(z.enum([...rights, ...operatorRights]))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'must not name a right twice')
    .meta({ description: 'What the key may do.', examples: [['read', 'sell']] }),
  expiresAt: field.time.describe('When the key expires; never by default.').optional(),
});
export const createdKey = z.strictObject({
  keyId,
  secret: z.string().meta({
    description: 'The bearer token, shown this once: only its hash is stored.',
    examples: ['ohk_k3XzHc5yQ0yM7b1n2dW9sLr4TfVaPeGu8iOjBqCxZ6E'],
  }),
  name: keyName,
  rights: z.array(keyRight),
  createdAt,
  expiresAt: keyExpiresAt,
});
export const apiKey = z.strictObject({
  keyId,
  name: keyName,
  rights: z.array(keyRight),
  createdAt,
  expiresAt: keyExpiresAt,
  lastUsedAt: field.time.nullable().describe('When it was last used, exact to the minute; null for never.'),
});
export const keyRequest = z.strictObject({ keyId: field.text(field.ID_CHARACTERS_MAX).describe('The key’s id.') });
const sessionId = field.text(field.ID_CHARACTERS_MAX).meta({
  description: 'The session’s id in the list of sessions.',
  examples: ['9f86d081884c7d659a2feaa0c55ad015'],
});
export const listRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });
export const listedSession = z.strictObject({
  sessionId,
  terminal: terminal.nullable(),
  createdAt,
  expiresAt,
  current: z.boolean().describe('Whether this request came with it.'),
});
export const sessionRequest = z.strictObject({ sessionId });
export const SESSION_TTL_SECONDS_MIN = 60;
export const newUser = z.strictObject({ userId: field.newUserId });
export const openSessionRequest = z.strictObject({
  userId: field.userId,
  terminal: field.text(TERMINAL_CHARACTERS_MAX).describe('A name for the device.').optional(),
  ttlSeconds: field
    .integer(SESSION_TTL_SECONDS_MIN, 10 ** 9)
    .meta({ description: 'At most, and by default, `SESSION_TTL_SECONDS`.', examples: [3_600] })
    .optional(),
});
export const unregisterRequest = z.strictObject({ password: passwordAgain });

export type RegisterRequest = z.infer<typeof registerRequest>;
export type LoginRequest = z.infer<typeof loginRequest>;
export type LoggedIn = z.infer<typeof loggedIn>;
export type SessionView = z.infer<typeof session>;
export type PasswordRequest = z.infer<typeof passwordRequest>;
export type CreateKeyRequest = z.infer<typeof createKeyRequest>;
export type CreatedKey = z.infer<typeof createdKey>;
export type ApiKeyView = z.infer<typeof apiKey>;
export type KeyRequest = z.infer<typeof keyRequest>;
export type ListRequest = z.infer<typeof listRequest>;
export type ListedSession = z.infer<typeof listedSession>;
export type SessionRequest = z.infer<typeof sessionRequest>;
export type OpenSessionRequest = z.infer<typeof openSessionRequest>;
export type UnregisterRequest = z.infer<typeof unregisterRequest>;

export const authRoutes = {
  register: {
    summary: 'Registers a user.',
    description:
      'Ids are never reused: the id of an unregistered user stays taken. `FORBIDDEN` with `REGISTRATION=closed`, where the shop’s backend adds users.',
    method: 'POST',
    path: '/auth/register',
    isPublic: true,
    status: 201,
    request: registerRequest,
    data: registered,
    errors: ['USER_EXISTS', 'FORBIDDEN'],
  },
  login: {
    summary: 'Opens a session and returns its token.',
    description:
      'An unknown user and a wrong password get the same answer in the same time, so user ids cannot be probed.',
    method: 'POST',
    path: '/auth/login',
    isPublic: true,
    request: loginRequest,
    data: loggedIn,
    errors: ['UNAUTHENTICATED'],
  },
  logout: {
    summary: 'Ends this session: its token stops working at once, and its sockets are disconnected.',
    method: 'POST',
    path: '/auth/logout',
    status: 204,
  },
  session: {
    summary: 'Shows this session: its user, its device and when it expires.',
    method: 'GET',
    path: '/auth/session',
    right: 'read',
    data: session,
  },
  password: {
    summary: 'Changes the password and ends every other session of the user, with its sockets.',
    method: 'POST',
    path: '/auth/password',
    status: 204,
    request: passwordRequest,
  },
  openSession: {
    summary: 'Signs a user in for the shop’s backend, with the operator’s key.',
    description:
      'The user is added at the first call, without a password, so that a login is refused like a wrong password. The id of an unregistered user is `USER_EXISTS`.',
    method: 'POST',
    path: '/auth/sessions',
    status: 201,
    right: 'sessions',
    request: openSessionRequest,
    data: loggedIn,
    errors: ['USER_EXISTS'],
  },
  sessions: {
    summary: 'Lists the caller’s live sessions, newest first.',
    method: 'GET',
    path: '/auth/sessions',
    request: listRequest,
    numericQuery: ['limit'],
    data: field.page(listedSession),
  },
  endSession: {
    summary: 'Ends one of the caller’s sessions, like a logout there.',
    method: 'DELETE',
    path: '/auth/sessions/:sessionId',
    status: 204,
    request: sessionRequest,
    errors: ['NOT_FOUND'],
  },
  createKey: {
    summary: 'Creates an API key and returns its secret, this once.',
    description: `A bearer token for programs, over HTTP and in \`auth.token\`, with some of the caller’s rights. At most ${API_KEYS_PER_USER_MAX} a user.`,
    method: 'POST',
    path: '/auth/keys',
    status: 201,
    request: createKeyRequest,
    data: createdKey,
  },
  keys: {
    summary: 'Lists the caller’s API keys, newest first.',
    method: 'GET',
    path: '/auth/keys',
    request: listRequest,
    numericQuery: ['limit'],
    data: field.page(apiKey),
  },
  deleteKey: {
    summary: 'Deletes an API key. Its sockets end within a second.',
    method: 'DELETE',
    path: '/auth/keys/:keyId',
    status: 204,
    request: keyRequest,
    errors: ['NOT_FOUND'],
  },
  unregister: {
    summary: 'Unregisters the user for good.',
    description:
      'Rejected with `ORDER_STATE` while the user has open orders, as buyer or seller, a balance, or a top-up or withdrawal that is still under way. The other parties can still read past orders; stores stay visible but accept no orders.',
    method: 'POST',
    path: '/auth/unregister',
    status: 204,
    request: unregisterRequest,
    errors: ['ORDER_STATE'],
  },
} as const satisfies Record<string, RouteRow>;
