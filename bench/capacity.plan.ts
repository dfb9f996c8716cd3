import type { Performance } from './performance.js';

const SECONDS_PER_DAY = 86_400;
/** Busiest second over the daily mean. */
const PEAK_FACTOR = 10;
/** Utilization in the busiest second; the rest is headroom. */
const UTILIZATION = 0.5;
const ORDERS_PER_DAY = [100_000, 1_000_000, 10_000_000];
/** Place, pay, ship, receive. */
const COMMANDS_PER_ORDER = 4;
/** Each connected socket stands for this many orders of a day. */
const ORDERS_PER_SOCKET = 10;

/** Resources for a number of orders per day, from the measured cost of a command, an order and a socket. */
export function capacityPlan({ results }: Performance): string[][] {
  const server = results.mariadb ?? results.mysql ?? {};
  const { cpuUs, serverCpuUs } = server.life?.rows.hub?.median ?? {};
  const bytesPerCommand = results.sqlite?.life?.rows.hub?.median.diskBytes;
  const idleKb = server.idle?.rows['hub, 10,000']?.median.idleKb;
  const row = (title: string, of: (orders: number) => string | undefined) => [
    title,
    ...ORDERS_PER_DAY.map((orders) => of(orders) ?? '–'),
  ];
  const peakRate = (orders: number) => (orders * COMMANDS_PER_ORDER * PEAK_FACTOR) / SECONDS_PER_DAY;
  const cores = (us: number | undefined) => (orders: number) =>
    us === undefined ? undefined : ((peakRate(orders) * us) / 1_000_000 / UTILIZATION).toFixed(2);
  return [
    ['orders per day', ...ORDERS_PER_DAY.map((orders) => orders.toLocaleString('en'))],
    row(
      `peak commands per second: orders × ${COMMANDS_PER_ORDER} × ${PEAK_FACTOR} ÷ ${SECONDS_PER_DAY.toLocaleString('en')}`,
      (orders) => Math.round(peakRate(orders)).toLocaleString('en'),
    ),
    row(`hub cores, half used at peak: × ${quantity(cpuUs, 'µs')} ÷ ${UTILIZATION}`, cores(cpuUs)),
    row(
      `database server cores, half used at peak: × ${quantity(serverCpuUs, 'µs')} ÷ ${UTILIZATION}`,
      cores(serverCpuUs),
    ),
    row(
      `GB of tables per day, with events and keys: orders × ${quantity(bytesPerCommand && bytesPerCommand * COMMANDS_PER_ORDER, 'bytes')}`,
      (orders) =>
        bytesPerCommand === undefined ? undefined : ((orders * bytesPerCommand * COMMANDS_PER_ORDER) / 1e9).toFixed(1),
    ),
    row(`GB of memory for sockets: orders ÷ ${ORDERS_PER_SOCKET} × ${quantity(idleKb, 'KB')}`, (orders) =>
      idleKb === undefined ? undefined : (((orders / ORDERS_PER_SOCKET) * idleKb * 1_024) / 1e9).toFixed(1),
    ),
  ];
}

function quantity(value: number | undefined, unit: string): string {
  return value === undefined ? `? ${unit}` : `${Math.round(value).toLocaleString('en')} ${unit}`;
}
