/** The user of a session that was found valid. */
export interface SessionHolder {
  userId: string;
  sessionId: string;
  terminal: string | null;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** Who speaks, by a socket or by a request. */
export interface Caller extends SessionHolder {
  /** Whether anybody is still there to hear the answer: what is asked by nobody need not be begun. */
  isThere(): boolean;
}
