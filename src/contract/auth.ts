import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_CHARACTERS_MAX = 256;
export const TERMINAL_CHARACTERS_MAX = 100;

/** A password that is being chosen. Every character counts, none is refused. */
const newPassword = field
  .text(PASSWORD_CHARACTERS_MAX, { min: PASSWORD_CHARACTERS_MIN, controls: true })
  .meta({ description: 'The password that is being chosen.', examples: ['correct horse battery'] });
/** A password that is being tried: one that could never have been chosen is simply wrong. */
const password = field
  .text(PASSWORD_CHARACTERS_MAX, { controls: true })
  .meta({ description: 'The password as it was chosen.', examples: ['correct horse battery'] });
const expiresAt = field.time.describe('When the session ends by itself.');
const terminal = field.example('phone').describe('The name that the device gave itself when it logged in.');

export const registerRequest = z.strictObject({ userId: field.userId, password: newPassword });
export const registered = z.strictObject({ userId: field.userId });
export const loginRequest = z.strictObject({
  userId: field.userId,
  password,
  terminal: field
    .text(TERMINAL_CHARACTERS_MAX)
    .meta({ description: 'A name for this device, for its owner to tell sessions apart.', examples: ['phone'] })
    .optional(),
});
export const loggedIn = z.strictObject({
  token: z.string().meta({
    description:
      'What everything else asks for: `Authorization: Bearer <token>` over HTTP, `auth.token` over a socket.',
    examples: ['k3XzHc5yQ0yM7b1n2dW9sLr4TfVaPeGu8iOjBqCxZ6E'],
  }),
  expiresAt,
  userId: field.userId,
});
export const session = z.strictObject({ userId: field.userId, terminal: terminal.nullable(), expiresAt });
export const passwordRequest = z.strictObject({ oldPassword: password, newPassword });
export const unregisterRequest = z.strictObject({ password });

export type RegisterRequest = z.infer<typeof registerRequest>;
export type LoginRequest = z.infer<typeof loginRequest>;
export type LoggedIn = z.infer<typeof loggedIn>;
export type SessionView = z.infer<typeof session>;
export type PasswordRequest = z.infer<typeof passwordRequest>;
export type UnregisterRequest = z.infer<typeof unregisterRequest>;

export const authRoutes = {
  register: {
    says: 'Takes an id, with a password.',
    notes: 'An id is never given twice: that of an unregistered user stays taken.',
    method: 'POST',
    path: '/auth/register',
    open: true,
    status: 201,
    request: registerRequest,
    data: registered,
    refuses: ['USER_EXISTS'],
  },
  login: {
    says: 'Opens a session and gives its token.',
    notes: 'A wrong user and a wrong password are told apart neither by the answer nor by its time.',
    method: 'POST',
    path: '/auth/login',
    open: true,
    request: loginRequest,
    data: loggedIn,
    refuses: ['UNAUTHENTICATED'],
  },
  logout: {
    says: 'Ends this session: its token is dead at once, and its sockets are cut.',
    method: 'POST',
    path: '/auth/logout',
    status: 204,
  },
  session: {
    says: 'Tells whose session this is, and until when.',
    method: 'GET',
    path: '/auth/session',
    data: session,
  },
  password: {
    says: 'Changes the password. Every other session of the user ends, sockets too.',
    method: 'POST',
    path: '/auth/password',
    status: 204,
    request: passwordRequest,
  },
  unregister: {
    says: 'Leaves for good.',
    notes:
      'Refused while the user has open orders, as buyer or as seller, or money. The history stays readable to the other party; stores stay visible and take no orders.',
    method: 'POST',
    path: '/auth/unregister',
    status: 204,
    request: unregisterRequest,
    refuses: ['ORDER_STATE'],
  },
} as const satisfies Record<string, RouteRow>;
