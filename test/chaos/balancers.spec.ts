import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { report, sized } from '../support/chaos.js';
import { DefaultClient } from '../support/default.client.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { OrderLoad } from '../support/order.load.js';
import { freePort } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, pick, range } from '../support/ways.js';

const CLIENTS = 30;
const HUBS = 3;
const BUYERS = 4;
const RESTARTS = sized(3, 12);
const BETWEEN_RESTARTS_MS = 1_500;
/** Socket.IO's own, and where WebSockets are not let through. */
const TRANSPORTS = { default: ['polling', 'websocket'], 'polling-only': ['polling'] } as const;

/** Each client has an address of its own, by which the samples choose its hub. */
const addressOf = (index: number) => `127.0.1.${index + 1}`;

describe.each(['nginx', 'haproxy'])('three hubs behind the sample for %s', (program) => {
  const script = join('scripts', 'servers', 'balancer');
  let folder: string;
  let port: number;
  let ports: number[];
  let setup: TestHub;
  let hubs: HubProcess[];
  /** A person uses nothing of a hub but its URL. */
  let balancer: TestHub;
  let own: TestDatabase;

  const startHub = (index: number) => HubProcess.start(own, { TRUST_PROXY: 'true' }, { port: pick(ports, index) });
  const run = (command: string, ...more: string[]) =>
    promisify(execFile)('bash', [script, command, program, folder, String(port), ...more]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), `order-hub-${program}-`));
    port = await freePort();
    ports = [];
    for (const _ of range(HUBS)) ports.push(await freePort());
    own = await createTestDatabase();
    setup = await TestHub.start({}, own);
    hubs = await Promise.all(range(HUBS).map(startHub));
    await run('start', ...ports.map(String));
    balancer = { url: `http://127.0.0.1:${port}` } as TestHub;
  }, 120_000);
  afterAll(async () => {
    await run('stop');
    await Promise.all(hubs.map((hub) => hub.kill()));
    await setup.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(Object.entries(TRANSPORTS))(`${CLIENTS} of ${CLIENTS} %s clients connect`, async (_, transports) => {
    const people = await Promise.all(range(CLIENTS).map(() => setup.person()));
    const clients = people.map(
      (person, index) => new DefaultClient(device(person, balancer), [...transports], addressOf(index)),
    );
    await until('everybody is ready', () => clients.every(({ ready }) => ready === 1));
    const transport = transports.at(-1);
    await until(`everybody uses ${transport}`, () =>
      clients.every(({ socket }) => socket.io.engine.transport.name === transport),
    );
    expect(clients.filter(({ disconnects }) => disconnects.length > 0)).toEqual([]);
    for (const { socket } of clients) socket.disconnect();
  });

  test('lets the operators’ routes through to nobody', async () => {
    const person = device(await setup.person(), balancer);
    expect((await person.get('/metrics')).status).toBe(404);
    expect((await person.get('/health/ready')).status).toBe(404);
    expect((await person.get('/wallet')).status).toBe(200);
  });

  test(
    `${RESTARTS} hubs restarted in turn under load leave no command unanswered, no gap, and no client behind`,
    async () => {
      const seller = await setup.seller([{ stock: 1_000_000 }]);
      const buyers = await Promise.all(range(BUYERS).map(() => setup.buyer()));
      const clients = [seller, ...buyers].flatMap((person, index) =>
        Object.values(TRANSPORTS).map((transports, way) => ({
          person,
          client: new DefaultClient(device(person, balancer), [...transports], addressOf(2 * index + way)),
        })),
      );
      const load = new OrderLoad(clients, buyers, [seller]);
      await load.start();
      for (const turn of range(RESTARTS)) {
        await sleep(BETWEEN_RESTARTS_MS);
        const index = turn % HUBS;
        expect(await pick(hubs, index).terminate()).toBe(0);
        hubs[index] = await startHub(index);
      }
      await sleep(BETWEEN_RESTARTS_MS);
      report(`restarts behind ${program}`, { restarts: RESTARTS, ...(await load.end(setup)) });
    },
    RESTARTS * 30_000 + 180_000,
  );
});
