import type { MarketSize } from './market.js';
import type { SystemName } from './system.js';
import type { Step, Work } from './wire.js';

export interface Scenario {
  says: string;
  market: MarketSize;
  steps: Step[];
  before?: Step[];
  inFlight: number;
  shelf: Work['shelf'];
  systems: SystemName[];
}

const MARKET: MarketSize = { buyers: 64, sellers: 4, books: 25 };
const ALL: SystemName[] = ['hub', 'bare', 'usual', 'lean'];
const LOAD = { market: MARKET, inFlight: 256, shelf: 'spread', systems: ALL } as const;

export const scenarios: Record<string, Scenario> = {
  place: { ...LOAD, says: 'place, 256 in flight from 64 sockets', steps: ['place'] },
  pay: { ...LOAD, says: 'pay, 256 in flight', before: ['place'], steps: ['pay'] },
  ship: { ...LOAD, says: 'ship, 256 in flight', before: ['place', 'pay'], steps: ['ship'] },
  life: {
    ...LOAD,
    says: 'place, pay, ship and receive, 256 orders at a time',
    steps: ['place', 'pay', 'ship', 'receive'],
  },
  'hot-book': { ...LOAD, says: 'place, all buyers want one book', steps: ['place'], shelf: 'one book' },
  'hot-seller': { ...LOAD, says: 'place, all buyers go to one seller', steps: ['place'], shelf: 'one seller' },
  lone: { ...LOAD, says: 'place, one command at a time', steps: ['place'], inFlight: 1 },
};
