import type { Performance } from './performance.js';

const SECONDS_A_DAY = 86_400;
/** How much more is asked for in the busiest second than in the mean one. */
const PEAK = 10;
/** What the busiest second may take of what there is: the rest is for the day that is worse. */
const FILL = 0.5;
const ORDERS_A_DAY = [100_000, 1_000_000, 10_000_000];
/** Place, pay, ship, receive. */
const COMMANDS_AN_ORDER = 4;
/** A socket for each so many orders of a day, which stays connected. */
const ORDERS_A_SOCKET = 10;

/** What so many orders a day need, from what one command, one order and one socket were measured to cost. */
export function planLines({ results }: Performance): string[][] {
  const server = results.mariadb ?? results.mysql ?? {};
  const life = server.life?.rows.hub?.median;
  const perOrder = results.sqlite?.life?.rows.hub?.median.diskBytes;
  const idleKb = server.idle?.rows['hub, 10,000']?.median.idleKb;
  const { cpuUs, serverCpuUs } = life ?? {};
  const head = ['orders a day', ...ORDERS_A_DAY.map((orders) => orders.toLocaleString('en'))];
  const line = (title: string, of: (orders: number) => string | undefined) => [
    title,
    ...ORDERS_A_DAY.map((orders) => of(orders) ?? '–'),
  ];
  const peak = (orders: number) => (orders * COMMANDS_AN_ORDER * PEAK) / SECONDS_A_DAY;
  const cores = (us: number | undefined) => (orders: number) =>
    us === undefined ? undefined : ((peak(orders) * us) / 1_000_000 / FILL).toFixed(2);
  return [
    head,
    line(
      `commands in the busiest second: orders × ${COMMANDS_AN_ORDER} × ${PEAK} ÷ ${SECONDS_A_DAY.toLocaleString('en')}`,
      (orders) => Math.round(peak(orders)).toLocaleString('en'),
    ),
    line(`cores of hubs, of which that takes half: × ${shown(cpuUs, 'µs')} ÷ ${FILL}`, cores(cpuUs)),
    line(
      `cores of the database server, of which that takes half: × ${shown(serverCpuUs, 'µs')} ÷ ${FILL}`,
      cores(serverCpuUs),
    ),
    line(
      `GB a day in the tables, events and keys among it: orders × ${shown(perOrder && perOrder * COMMANDS_AN_ORDER, 'bytes')}`,
      (orders) => (perOrder === undefined ? undefined : ((orders * perOrder * COMMANDS_AN_ORDER) / 1e9).toFixed(1)),
    ),
    line(`GB of memory for sockets: orders ÷ ${ORDERS_A_SOCKET} × ${shown(idleKb, 'KB')}`, (orders) =>
      idleKb === undefined ? undefined : (((orders / ORDERS_A_SOCKET) * idleKb * 1_024) / 1e9).toFixed(1),
    ),
  ];
}

function shown(value: number | undefined, unit: string): string {
  return value === undefined ? `? ${unit}` : `${Math.round(value).toLocaleString('en')} ${unit}`;
}
