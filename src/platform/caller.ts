/** Who speaks: the user of a session that was found valid. */
export interface Caller {
  userId: string;
  sessionId: string;
  terminal: string | null;
  /** Epoch milliseconds. */
  expiresAt: number;
}
