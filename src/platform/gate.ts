import { Refusal } from '../contract/errors.js';
import { ANSWER_WITHIN_MS } from './deadline.js';

interface Bounds {
  atOnce: number;
  waitingMax: number;
}

interface Turn {
  since: number;
  isThere(): boolean;
  begin(): void;
  giveUp(error: Refusal): void;
}

const RETRY_AFTER_MIN_MS = 100;
/** How much the latest piece of work counts in what is known of how long one takes. */
const LATEST_SHARE = 0.1;

/** Lets so much work be under way at once and so much wait for it. The rest is refused at once: it would not be done in time. */
export class Gate {
  private underWay = 0;
  private workMs = 10;
  private readonly turns: Turn[] = [];

  constructor(private readonly bounds: Bounds) {}

  /** Does a piece of work when its turn comes. When nobody is there by then, it is not begun. */
  async pass<T>(work: () => Promise<T>, isThere: () => boolean = () => true): Promise<T> {
    if (this.underWay < this.bounds.atOnce) this.underWay++;
    else await this.turn(isThere);
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.workMs += LATEST_SHARE * (performance.now() - started - this.workMs);
      this.next();
    }
  }

  private turn(isThere: () => boolean): Promise<void> {
    const { atOnce, waitingMax } = this.bounds;
    if (this.turns.length >= waitingMax) {
      const spread = 1 + Math.random();
      const lineMs = (this.turns.length / atOnce) * this.workMs;
      throw new Refusal('OVERLOADED', undefined, {
        retryAfterMs: Math.round(Math.max(RETRY_AFTER_MIN_MS, lineMs) * spread),
      });
    }
    return new Promise((begin, giveUp) => {
      this.turns.push({ since: performance.now(), isThere, begin, giveUp });
    });
  }

  /** The place of what is done goes to the first in line that still wants it. */
  private next(): void {
    const oldest = performance.now() - ANSWER_WITHIN_MS;
    let turn = this.turns.shift();
    while (turn && (turn.since < oldest || !turn.isThere())) {
      turn.giveUp(new Refusal('UNAVAILABLE'));
      turn = this.turns.shift();
    }
    if (turn) turn.begin();
    else this.underWay--;
  }
}
