import type { MarketSize } from './market.js';
import type { SystemName } from './system.js';
import type { BackgroundKind, Contention, Step } from './wire.js';

/** A system under one load: a row of a scenario's table. */
export interface Row {
  system: SystemName;
  market: MarketSize;
  steps: Step[];
  /** Steps that bring each order to where the measured ones begin. */
  before?: Step[];
  inFlight: number;
  contention: Contention;
  /** Runs alongside the commands; without `steps`, it is what is measured. */
  background?: BackgroundKind;
  /** Processes of the system on one database, which share all cores with the load. */
  processes?: number;
  isPinned?: boolean;
  /** Open loop: commands per second, or a share of the rate that another row reached in the same round. */
  rate?: number | { of: string; share: number };
  /** Rows and rounds with the same name share one database, because a million orders take minutes to seed. */
  sharedDatabase?: string;
  /** Measures only the start time. */
  isStart?: boolean;
}

/** Rows measured in turn, round by round, so that a change of the machine's speed affects all of them. */
export interface Scenario {
  description: string;
  rows: Record<string, Row>;
  /** The row that another is compared with. */
  baselineOf(row: string): string | undefined;
  /** Needs several processes on one database, which the embedded one does not support. */
  isOnServerOnly?: boolean;
  roundsMin?: number;
}

const MARKET: MarketSize = { buyers: 64, sellers: 4, books: 25 };
const PLACE: Row = { system: 'hub', market: MARKET, steps: ['place'], inFlight: 256, contention: 'spread' };
const MISSED = 10_000;
const LIGHT_RATE = 200;
const SYSTEMS = ['hub', 'bare', 'usual', 'lean'] as const;

function onSystems(systems: readonly SystemName[], row: Row): Record<string, Row> {
  return Object.fromEntries(systems.map((system) => [system, { ...row, system }]));
}

/** All systems, compared with the hub. */
function compared(description: string, row: Partial<Row>, systems: readonly SystemName[] = SYSTEMS): Scenario {
  return { description, rows: onSystems(systems, { ...PLACE, ...row }), baselineOf: () => 'hub' };
}

/** Rows of the hub, compared with the first. */
function within(description: string, rows: Record<string, Partial<Row>>): Scenario {
  const [first] = Object.keys(rows);
  const whole = Object.entries(rows).map(([name, row]) => [name, { ...PLACE, ...row }]);
  return { description, rows: Object.fromEntries(whole), baselineOf: () => first };
}

function hot(systems: readonly SystemName[]): Scenario {
  const contentions = ['spread', 'one book', 'one seller'] as const;
  const rows = systems.flatMap((system) =>
    contentions.map((contention): [string, Row] => [`${system}, ${contention}`, { ...PLACE, system, contention }]),
  );
  return {
    description: 'place, all buyers ordering one book, or from one seller',
    rows: Object.fromEntries(rows),
    baselineOf: (row) => `${row.split(',')[0]}, spread`,
  };
}

function withOrders(name: string, row: Partial<Row>): Scenario {
  const sizes = [1_000, 100_000, 1_000_000];
  const rows = sizes.map((orders): [string, Partial<Row>] => [
    orders.toLocaleString('en'),
    {
      ...row,
      market: { ...MARKET, orders, missed: MISSED },
      // Runs on a shared database would soon multiply a thousand orders.
      ...(orders > 1_000 ? { sharedDatabase: `${orders} orders` } : {}),
    },
  ]);
  return within(`${name}, by existing orders`, Object.fromEntries(rows));
}

function withIdle(): Scenario {
  const rows = [100, 1_000, 10_000].flatMap((idle) =>
    (['hub', 'bare'] as const).map((system): [string, Row] => [
      `${system}, ${idle.toLocaleString('en')}`,
      { ...PLACE, system, market: { ...MARKET, idle } },
    ]),
  );
  return {
    description: 'place, by idle sockets, and the memory of each',
    rows: Object.fromEntries(rows),
    baselineOf: (row) => `hub,${row.split(',').slice(1).join(',')}`,
  };
}

const START: Partial<Row> = { isStart: true, sharedDatabase: 'start' };

export const scenarios: Record<string, Scenario> = {
  place: compared('place, 256 in flight over 64 buyers’ sockets', {}),
  pay: compared('pay, 256 in flight', { before: ['place'], steps: ['pay'] }),
  ship: compared('ship, 256 in flight', { before: ['place', 'pay'], steps: ['ship'] }),
  life: compared('place, pay, ship and receive, 256 orders in flight', {
    steps: ['place', 'pay', 'ship', 'receive'],
  }),
  hot: hot(['hub']),
  'hot-all': hot(['hub', 'usual', 'lean']),
  lone: compared('place, one command at a time', { inFlight: 1 }),
  half: within('place, one at a time, at peak, and in an open loop at half of the peak', {
    lone: { inFlight: 1 },
    peak: {},
    half: { rate: { of: 'peak', share: 0.5 } },
  }),
  reads: within('place, while four clients list their orders, or search', {
    alone: {},
    'beside lists': { background: 'lists' },
    'beside searches': { background: 'searches' },
  }),
  replay: within(`place, ${LIGHT_RATE} per second, while a client reconnects repeatedly with 10,000 missed events`, {
    'nobody comes back': { market: { ...MARKET, missed: MISSED }, rate: LIGHT_RATE },
    'beside replays': { market: { ...MARKET, missed: MISSED }, rate: LIGHT_RATE, background: 'replays' },
  }),
  'orders-place': withOrders('place', {}),
  'orders-pay': withOrders('pay', { before: ['place'], steps: ['pay'] }),
  'orders-list': withOrders('list', { steps: ['list'] }),
  'orders-replay': withOrders('replay of 10,000 missed events', { steps: [], background: 'replays' }),
  idle: withIdle(),
  hubs: {
    ...within('place, by hubs on one database without Redis, sharing all cores with it and the load', {
      '1': { processes: 1, isPinned: false },
      '2': { processes: 2, isPinned: false },
      '4': { processes: 4, isPinned: false },
    }),
    isOnServerOnly: true,
  },
  start: {
    description: 'from process start until ready, on an existing database',
    rows: onSystems(['nest', 'hub', 'usual'], { ...PLACE, ...START }),
    baselineOf: () => 'nest',
    roundsMin: 7,
  },
};

/** The default selection. */
const MAIN = ['place', 'life', 'hot', 'lone', 'half', 'start'];
const QUICK = ['place', 'life'];
const QUICK_MARKET: MarketSize = { buyers: 16, sellers: 2, books: 5 };

export function scenariosNamed(list: string | undefined, isQuick: boolean): Record<string, Scenario> {
  // `hot-all` includes the rows of `hot`.
  const all = Object.keys(scenarios).filter((name) => name !== 'hot');
  const names = list === 'all' ? all : (list?.split(',') ?? (isQuick ? QUICK : MAIN));
  const chosen = names.map((name): [string, Scenario] => {
    const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
    if (!scenario) throw new Error(`Unknown scenario ${name}; known: ${Object.keys(scenarios).join(', ')}`);
    return [name, isQuick ? quick(scenario) : scenario];
  });
  return Object.fromEntries(chosen);
}

function quick(scenario: Scenario): Scenario {
  const rows = Object.entries(scenario.rows).map(([name, row]) => [
    name,
    { ...row, market: QUICK_MARKET, inFlight: 8 },
  ]);
  return {
    ...scenario,
    description: `${scenario.description} (quick form: few clients, 8 in flight)`,
    rows: Object.fromEntries(rows),
  };
}
