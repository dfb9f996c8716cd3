import type { MarketSize } from './market.js';
import type { SystemName } from './system.js';
import type { Aside, Shelf, Step } from './wire.js';

/** One row of a table: a system under one load. */
export interface Row {
  system: SystemName;
  market: MarketSize;
  steps: Step[];
  /** Done first with each order, and not measured. */
  before?: Step[];
  inFlight: number;
  shelf: Shelf;
  /** What others do meanwhile. Without steps, it is what is measured. */
  aside?: Aside;
  /** Processes of the system on one database. Several share all cores with the load. */
  processes?: number;
  isPinned?: boolean;
  /** Sent at fixed moments, whatever comes back: so many a second, or a share of what another row of this round reached. */
  rate?: number | { of: string; share: number };
  /** Furnished once, and used by all rows and rounds that name it: a million orders take a while to write. */
  reuses?: string;
  /** How long it takes to start is measured, and nothing else. */
  isStart?: boolean;
}

/** Rows that are measured by turns, so that what the machine does besides meets all of them. */
export interface Scenario {
  says: string;
  rows: Record<string, Row>;
  /** Whom each row is held against. */
  against(row: string): string | undefined;
  /** Needs several processes on one database, which the embedded one does not allow. */
  isOnServerOnly?: boolean;
  roundsMin?: number;
}

const MARKET: MarketSize = { buyers: 64, sellers: 4, books: 25 };
const PLACE: Row = { system: 'hub', market: MARKET, steps: ['place'], inFlight: 256, shelf: 'spread' };
const MISSED = 10_000;
const A_LIGHT_LOAD = 200;
const SYSTEMS = ['hub', 'bare', 'usual', 'lean'] as const;

/** The same load on several systems. */
function on(systems: readonly SystemName[], row: Row): Record<string, Row> {
  return Object.fromEntries(systems.map((system) => [system, { ...row, system }]));
}

/** All systems against the hub. */
function compared(says: string, row: Partial<Row>, systems: readonly SystemName[] = SYSTEMS): Scenario {
  return { says, rows: on(systems, { ...PLACE, ...row }), against: () => 'hub' };
}

/** Rows of one system, against the first. */
function within(says: string, rows: Record<string, Partial<Row>>): Scenario {
  const [first] = Object.keys(rows);
  const whole = Object.entries(rows).map(([name, row]) => [name, { ...PLACE, ...row }]);
  return { says, rows: Object.fromEntries(whole), against: () => first };
}

function hot(systems: readonly SystemName[]): Scenario {
  const shelves = ['spread', 'one book', 'one seller'] as const;
  const rows = systems.flatMap((system) =>
    shelves.map((shelf): [string, Row] => [`${system}, ${shelf}`, { ...PLACE, system, shelf }]),
  );
  return {
    says: 'place, with everybody after one book, or at one seller’s',
    rows: Object.fromEntries(rows),
    against: (row) => `${row.split(',')[0]}, spread`,
  };
}

function withOrders(says: string, row: Partial<Row>): Scenario {
  const sizes = [1_000, 100_000, 1_000_000];
  const rows = sizes.map((orders): [string, Partial<Row>] => [
    orders.toLocaleString('en'),
    {
      ...row,
      market: { ...MARKET, orders, missed: MISSED },
      // What the rounds add to a thousand would soon be more than a thousand.
      ...(orders > 1_000 ? { reuses: `${orders} orders` } : {}),
    },
  ]);
  return within(`${says}, with so many orders there already`, Object.fromEntries(rows));
}

function withIdle(): Scenario {
  const rows = [100, 1_000, 10_000].flatMap((idle) =>
    (['hub', 'bare'] as const).map((system): [string, Row] => [
      `${system}, ${idle.toLocaleString('en')}`,
      { ...PLACE, system, market: { ...MARKET, idle } },
    ]),
  );
  return {
    says: 'place, with so many sockets connected besides, and what each of them holds',
    rows: Object.fromEntries(rows),
    against: (row) => `hub,${row.split(',').slice(1).join(',')}`,
  };
}

const START: Partial<Row> = { isStart: true, reuses: 'start' };

export const scenarios: Record<string, Scenario> = {
  place: compared('place, 256 in flight from 64 buyers’ sockets', {}),
  pay: compared('pay, 256 in flight', { before: ['place'], steps: ['pay'] }),
  ship: compared('ship, 256 in flight', { before: ['place', 'pay'], steps: ['ship'] }),
  life: compared('place, pay, ship and receive of 256 orders at a time', {
    steps: ['place', 'pay', 'ship', 'receive'],
  }),
  hot: hot(['hub']),
  'hot-all': hot(['hub', 'usual', 'lean']),
  lone: compared('place, one command at a time', { inFlight: 1 }),
  half: within('place, one at a time, as fast as it goes, and at half of that at fixed moments', {
    lone: { inFlight: 1 },
    peak: {},
    half: { rate: { of: 'peak', share: 0.5 } },
  }),
  reads: within('place, while four people leaf through their orders, or search', {
    alone: {},
    'beside lists': { aside: 'lists' },
    'beside searches': { aside: 'searches' },
  }),
  replay: within(
    `place, ${A_LIGHT_LOAD} a second, while somebody comes back again and again who has missed 10,000 events`,
    {
      'nobody comes back': { market: { ...MARKET, missed: MISSED }, rate: A_LIGHT_LOAD },
      'beside replays': { market: { ...MARKET, missed: MISSED }, rate: A_LIGHT_LOAD, aside: 'replays' },
    },
  ),
  'orders-place': withOrders('place', {}),
  'orders-pay': withOrders('pay', { before: ['place'], steps: ['pay'] }),
  'orders-list': withOrders('list', { steps: ['list'] }),
  'orders-replay': withOrders('replay of 10,000 missed events', { steps: [], aside: 'replays' }),
  idle: withIdle(),
  hubs: {
    ...within('place, by so many hubs on one database without Redis, which share all cores with it and with the load', {
      '1': { processes: 1, isPinned: false },
      '2': { processes: 2, isPinned: false },
      '4': { processes: 4, isPinned: false },
    }),
    isOnServerOnly: true,
  },
  start: {
    says: 'from the start of the process until it is ready, on a database that is there',
    rows: on(['nest', 'hub', 'usual'], { ...PLACE, ...START }),
    against: () => 'nest',
    roundsMin: 7,
  },
};

/** What `npm run bench` compares unless it is told otherwise, and in the quick form. */
const MAIN = ['place', 'life', 'hot', 'lone', 'half', 'start'];
const QUICK = ['place', 'life'];
const QUICK_MARKET: MarketSize = { buyers: 16, sellers: 2, books: 5 };

export function scenariosNamed(list: string | undefined, isQuick: boolean): Record<string, Scenario> {
  // `hot-all` holds the rows of `hot`.
  const all = Object.keys(scenarios).filter((name) => name !== 'hot');
  const names = list === 'all' ? all : (list?.split(',') ?? (isQuick ? QUICK : MAIN));
  const chosen = names.map((name): [string, Scenario] => {
    const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
    if (!scenario) throw new Error(`There is no ${name}. There are: ${Object.keys(scenarios).join(', ')}`);
    return [name, isQuick ? quick(scenario) : scenario];
  });
  return Object.fromEntries(chosen);
}

function quick(scenario: Scenario): Scenario {
  const rows = Object.entries(scenario.rows).map(([name, row]) => [
    name,
    { ...row, market: QUICK_MARKET, inFlight: 64 },
  ]);
  return {
    ...scenario,
    says: `${scenario.says} (the quick form: few people, 64 in flight)`,
    rows: Object.fromEntries(rows),
  };
}
