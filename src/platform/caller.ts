import type { Message } from './message.js';

/** The user of a session that was found valid. */
export interface SessionHolder {
  userId: string;
  sessionId: string;
  terminal: string | null;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** What is known of whoever waits for an answer. */
export interface Asker {
  /** Whether anybody is still there to hear the answer: what is asked by nobody need not be begun. */
  isThere(): boolean;
  /** What was asked, for log and traces. */
  message?: Message | undefined;
}

/** Somebody at the other end of a socket or a request, known or not. */
export interface Sender extends Asker {
  /** What limits are counted by: see address.ts. */
  address: string;
}

/** Who speaks, by a socket or by a request. */
export interface Caller extends SessionHolder, Sender {}
