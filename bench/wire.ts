/** What the runner and a process of load tell each other. */

/** Who takes part and what is for sale: all that a load needs to know of a database. */
export interface Market {
  buyers: Party[];
  sellers: (Party & { storeId: string })[];
  /** Books of each store: `book-1` to `book-<books>`. */
  books: number;
  /** Connected, and nothing else. */
  idle: Party[];
  /** A buyer who was away, and how many events were missed. */
  returning?: Party;
  missed: number;
  /** What was there before the load began. */
  before: { orders: number; changes: number };
}

export interface Party {
  userId: string;
  token: string;
}

/** What the load was told, to be held against the database. */
export interface Told {
  /** Acknowledged commands, by message. Reads change nothing and are not counted here. */
  done: Record<string, number>;
  /** Pushes heard, by role. */
  pushes: { buyer: number; seller: number };
}

export type Step = 'place' | 'pay' | 'ship' | 'receive' | 'list';

export interface Work {
  /** Of one system; the sockets are spread over them. */
  urls: string[];
  market: Market;
  /** Commands on each order, one after another. `before` is done first, and not measured. */
  steps: Step[];
  before?: Step[];
  /** Commands under way at any moment, spread over the buyers' sockets. */
  inFlight: number;
  /** Commands a second that are sent whatever comes back; without it, each is sent when an earlier one is answered. */
  rate?: number;
  /** Which books are bought: each buyer another, or all the same. */
  shelf: 'spread' | 'one book' | 'one seller';
  /** Whether somebody reads lists all the time, and somebody comes back who has missed much. */
  besides?: 'reads' | 'replays';
  warmUpMs: number;
  measureMs: number;
}

export type FromLoad =
  | { say: 'connected' }
  | { say: 'measuring' }
  | { say: 'measured'; messages: number; ms: number }
  | { say: 'done'; told: Told; faults: string[]; latenciesUs: number[]; pushLagsUs: number[]; replaysUs: number[] };

export type ToLoad = { say: 'connect'; work: Work } | { say: 'start' };

/** What one run of a load came to. */
export type Measured = Extract<FromLoad, { say: 'done' }> & { messages: number; ms: number };
