/** What the runner and the processes of load tell each other. */

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
export type Shelf = 'spread' | 'one book' | 'one seller';
/** What others do beside the commands, in a process of their own: come back after long, leaf through lists, search. */
export type Aside = 'replays' | 'lists' | 'searches';

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
  shelf: Shelf;
  warmUpMs: number;
  measureMs: number;
}

export type ToLoad = { say: 'connect'; work: Work } | { say: 'connect idle'; parties: Party[] } | { say: 'run' };
export type LoadNotice = 'measuring' | 'measured';

/** What one run of a load came to. Times in microseconds. */
export interface Measured {
  messages: number;
  ms: number;
  /** All that was heard, of answers and pushes. */
  bytes: number;
  told: Told;
  faults: string[];
  p50Us: number;
  p99Us: number;
  slowestUs: number;
  /** How much later the other party heard of a change than its sender was answered. */
  pushLagUs: number;
  /** How much later than it was due a command was sent, when they are sent at fixed moments. */
  lateUs: number;
  /** The share of one core that the load itself used. Near 1 it could not do more, and the system might have. */
  loadShare: number;
}

export interface AsideWork {
  url: string;
  market: Market;
  aside: Aside;
}
export type ToAside = { say: 'begin'; work: AsideWork } | { say: 'mark' } | { say: 'end' };
export interface AsideMeasured {
  done: number;
  ms: number;
  p50Us: number;
  faults: string[];
}

/** What is asked of a system from the inside, by the probe that is loaded into each. `ms` is how long was measured. */
export type ToProbe =
  | { say: 'begin'; profile: boolean }
  | { say: 'end'; ms: number; profile?: string }
  | { say: 'settle' };
export interface Probed {
  /** The 99th percentile and the longest of what a timer of the event loop was late. */
  loopP99Us: number;
  loopMaxUs: number;
  /** The share of the time in which the event loop was not waiting. */
  busy: number;
}
