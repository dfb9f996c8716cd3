import type { StatusCounts } from '../../src/contract/finding.js';

type Unit = 'days' | 'weeks' | 'months';

const number = new Intl.NumberFormat('en');
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
const orders = (count: number) => `${number.format(count)} ${count === 1 ? 'order' : 'orders'}`;

/** Texts of a seller's reports. */
export const englishReports = {
  title: 'Reports',
  units: {
    days: { one: 'Day', many: 'Days' },
    weeks: { one: 'Week', many: 'Weeks' },
    months: { one: 'Month', many: 'Months' },
  },
  span: { days: 'Last 14 days', weeks: 'Last 12 weeks', months: 'Last 12 months' } satisfies Record<Unit, string>,
  chart: { days: 'Sales by day', weeks: 'Sales by week', months: 'Sales by month' },
  table: { days: 'Numbers by day', weeks: 'Numbers by week', months: 'Numbers by month' },
  number: (count: number) => number.format(count),
  orders: 'Orders',
  ordersCount: orders,
  sales: 'Sales',
  refunds: 'Refunds',
  net: 'Net sales',
  paidOut: 'Withdrawn',
  total: 'Total',
  soFar: '(so far)',
  most: (amount: string) => `Highest: ${amount}`,
  bar: (period: string, count: number, sales: string) => `${period}: ${orders(count)}, ${sales}`,
  before: (count: number, unit: Unit) => `Sales in the ${count} ${unit} before`,
  change: (change: number) => {
    if (Math.abs(change) < 0.005) return 'about the same now';
    return `${percent.format(Math.abs(change))} ${change > 0 ? 'more' : 'less'} now`;
  },
  empty: 'No sales, refunds or withdrawals in this time.',
  counting:
    'Sales count when the money reaches your balance, refunds and cancellations when it’s given back. Times are those of this device.',
  allStores: 'All your stores are included.',
  now: 'Your money now',
  available: 'Available',
  withdraw: 'Withdraw',
  held: 'Pending payout',
  heldUntil: (counts: StatusCounts | undefined) =>
    `Yours when each order is received${counts ? `: ${number.format(counts.paid)} to ship, ${number.format(counts.shipped)} on the way` : ''}.`,
  nothingHeld: 'Nothing is waiting to be paid out.',
  download: 'Download',
  downloadIntro: (span: string) => `CSV files for ${span}. Orders are those placed in this time.`,
  downloads: { report: 'This report', orders: 'Order lines', transactions: 'Transactions' },
  files: { report: 'report', orders: 'orders', transactions: 'transactions' },
  csvHeads: ['From', 'To', 'Orders', 'Sales', 'Refunds', 'Withdrawn'],
};
