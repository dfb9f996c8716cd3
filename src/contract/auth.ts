import { z } from 'zod';
import * as field from './fields.js';

export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_CHARACTERS_MAX = 256;
export const TERMINAL_CHARACTERS_MAX = 100;

/** A password that is being chosen. Every character counts, none is refused. */
const newPassword = field.text(PASSWORD_CHARACTERS_MAX, { min: PASSWORD_CHARACTERS_MIN, controls: true });
/** A password that is being tried: one that could never have been chosen is simply wrong. */
const password = field.text(PASSWORD_CHARACTERS_MAX, { controls: true });

export const registerRequest = z.strictObject({ userId: field.id, password: newPassword });
export const registered = z.strictObject({ userId: field.id });
export const loginRequest = z.strictObject({
  userId: field.id,
  password,
  terminal: field.text(TERMINAL_CHARACTERS_MAX).optional(),
});
export const loggedIn = z.strictObject({ token: z.string(), expiresAt: field.time, userId: field.id });
export const session = z.strictObject({ userId: field.id, terminal: z.string().nullable(), expiresAt: field.time });
export const passwordRequest = z.strictObject({ oldPassword: password, newPassword });
export const unregisterRequest = z.strictObject({ password });

export type RegisterRequest = z.infer<typeof registerRequest>;
export type LoginRequest = z.infer<typeof loginRequest>;
export type LoggedIn = z.infer<typeof loggedIn>;
export type SessionView = z.infer<typeof session>;
export type PasswordRequest = z.infer<typeof passwordRequest>;
export type UnregisterRequest = z.infer<typeof unregisterRequest>;
