/** What the runner and a process of load tell each other. */
import type { Market, Told } from './market.js';

export type Step = 'place' | 'pay' | 'ship' | 'receive';

export interface Work {
  url: string;
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
  warmUpMs: number;
  measureMs: number;
}

export type FromLoad =
  | { say: 'connected' }
  | { say: 'measuring' }
  | { say: 'measured'; commands: number; ms: number }
  | { say: 'done'; told: Told; faults: string[]; latenciesUs: number[]; pushLagsUs: number[] };

export type ToLoad = { say: 'connect'; work: Work } | { say: 'start' };

/** What one run of a load came to. */
export type Measured = Extract<FromLoad, { say: 'done' }> & { commands: number; ms: number };
