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
  besides?: Work['besides'];
  /** Processes of the system on one database. */
  processes?: number;
  /** A share of the rate that the system reaches in turns: sent at fixed moments, whatever comes back. */
  rateShare?: number;
  systems: SystemName[];
  /** Needs several processes on one database, which the embedded one does not allow. */
  onServerOnly?: boolean;
}

const MARKET: MarketSize = { buyers: 64, sellers: 4, books: 25 };
const ALL: SystemName[] = ['hub', 'bare', 'usual', 'lean'];
const LOAD = { market: MARKET, inFlight: 256, shelf: 'spread', systems: ALL } as const;
const OF_HUB = { ...LOAD, systems: ['hub'] as SystemName[] };

const withOrders = (orders: number, step: 'place' | 'pay' | 'list'): Scenario => ({
  ...OF_HUB,
  says: `${step}, with ${orders.toLocaleString('en')} orders there already`,
  market: { ...MARKET, orders },
  steps: [step],
  ...(step === 'pay' ? { before: ['place'] as Step[] } : {}),
});
const withIdle = (idle: number): Scenario => ({
  ...LOAD,
  says: `place, with ${idle.toLocaleString('en')} sockets connected besides`,
  market: { ...MARKET, idle },
  steps: ['place'],
  systems: ['hub', 'bare'],
});
const onProcesses = (processes: number): Scenario => ({
  ...OF_HUB,
  says: `place, by ${processes} hub${processes > 1 ? 's' : ''} on one database`,
  steps: ['place'],
  processes,
  onServerOnly: true,
});

/** What `npm run bench` compares unless it is told otherwise. */
const usual: Record<string, Scenario> = {
  place: { ...LOAD, says: 'place, 256 in flight from 64 sockets', steps: ['place'] },
  pay: { ...LOAD, says: 'pay, 256 in flight', before: ['place'], steps: ['pay'] },
  ship: { ...LOAD, says: 'ship, 256 in flight', before: ['place', 'pay'], steps: ['ship'] },
  life: {
    ...LOAD,
    says: 'place, pay, ship and receive of 256 orders at a time',
    steps: ['place', 'pay', 'ship', 'receive'],
  },
  'hot-book': { ...LOAD, says: 'place, everybody wants one book', steps: ['place'], shelf: 'one book' },
  'hot-seller': { ...LOAD, says: 'place, everybody goes to one seller', steps: ['place'], shelf: 'one seller' },
  lone: { ...LOAD, says: 'place, one command at a time', steps: ['place'], inFlight: 1 },
  half: { ...OF_HUB, says: 'place, at half of the highest rate', steps: ['place'], rateShare: 0.5 },
};

/** What shows how the hub bears size. Asked for by name, or all of them with `--only all`. */
const sizes: Record<string, Scenario> = {
  reads: { ...OF_HUB, says: 'place, while four people leaf through their orders', steps: ['place'], besides: 'reads' },
  replay: {
    ...OF_HUB,
    says: 'place, eight in flight, while somebody comes back again and again who has missed 10,000 events',
    market: { ...MARKET, missed: 10_000 },
    inFlight: 8,
    steps: ['place'],
    besides: 'replays',
  },
  ...Object.fromEntries(
    [1_000, 100_000, 1_000_000].flatMap((orders) =>
      (['place', 'pay', 'list'] as const).map((step) => [`${step}-${orders}`, withOrders(orders, step)]),
    ),
  ),
  ...Object.fromEntries([100, 1_000, 10_000].map((idle) => [`idle-${idle}`, withIdle(idle)])),
  ...Object.fromEntries([1, 2, 4].map((processes) => [`hubs-${processes}`, onProcesses(processes)])),
};

export const scenarios: Record<string, Scenario> = { ...usual, ...sizes };

export function scenariosNamed(list: string | undefined): string[] {
  if (list === 'all') return Object.keys(scenarios);
  const names = list?.split(',') ?? Object.keys(usual);
  const unknown = names.filter((name) => !Object.hasOwn(scenarios, name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown}. There are: ${Object.keys(scenarios).join(', ')}`);
  return names;
}
