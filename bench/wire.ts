/** Messages between the benchmark's runner, the load processes and the probe. */

/** The seeded parties and stores: all that the load needs to know of a database. */
export interface Market {
  buyers: Participant[];
  sellers: (Participant & { storeId: string })[];
  /** Books of each store: `book-1` to `book-<books>`. */
  books: number;
  /** Connect, and send no commands. */
  idle: Participant[];
  /** A buyer who missed `missed` events while offline. */
  returning?: Participant;
  missed: number;
}

export interface Participant {
  userId: string;
  token: string;
}

/** What the clients observed, to be compared with the database after the run. */
export interface Observed {
  /** Acknowledged commands, by message name. Reads are not counted: they change nothing. */
  done: Record<string, number>;
  /** Pushes received, by role. */
  pushes: { buyer: number; seller: number };
}

export type Step = 'place' | 'pay' | 'ship' | 'receive' | 'list';
/** Which rows concurrent orders compete for. */
export type Contention = 'spread' | 'one book' | 'one seller';
/** Load of other clients alongside the commands, from a process of its own. */
export type BackgroundKind = 'replays' | 'lists' | 'searches';

export interface Work {
  /** Processes of the system under test; sockets are spread over them. */
  urls: string[];
  market: Market;
  /** Commands on each order, in sequence. `before` runs first and is not measured. */
  steps: Step[];
  before?: Step[];
  /** Concurrent commands, spread over the buyers' sockets. */
  inFlight: number;
  /** Commands per second in an open loop; without it, each answer triggers the next command. */
  rate?: number;
  contention: Contention;
  warmUpMs: number;
  measureMs: number;
}

export type LoadRequest =
  | { type: 'connect'; work: Work }
  | { type: 'connect idle'; parties: Participant[] }
  | { type: 'run' };
export interface LoadNotice {
  phase: 'measuring' | 'measured';
}

/** Results of one load process. Times in microseconds. */
export interface Measured {
  messages: number;
  ms: number;
  /** Received in answers and pushes. */
  bytes: number;
  observed: Observed;
  errors: string[];
  p50Us: number;
  p99Us: number;
  slowestUs: number;
  /** Median delay from the sender's acknowledgement to the other party's push; negative if the push came first. */
  pushLagUs: number;
  /** Median delay between a command's due time and its sending, in an open loop. */
  lateUs: number;
  /** Share of one core that the load used. Near 1, the load is the bottleneck. */
  loadShare: number;
}

export interface BackgroundWork {
  url: string;
  market: Market;
  kind: BackgroundKind;
}
export type BackgroundRequest = { type: 'begin'; work: BackgroundWork } | { type: 'mark' } | { type: 'end' };
export interface BackgroundMeasured {
  done: number;
  ms: number;
  p50Us: number;
  errors: string[];
}

/** Requests to the probe inside a system. `ms` is the length of the measured window. */
export type ProbeRequest =
  | { type: 'begin'; profile: boolean }
  | { type: 'end'; ms: number; profile?: string }
  | { type: 'collect garbage' };
export interface Probed {
  /** 99th percentile and maximum of the event loop delay. */
  loopP99Us: number;
  loopMaxUs: number;
  /** Event loop utilization, 0 to 1. */
  busy: number;
}
