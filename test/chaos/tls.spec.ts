import { resolve } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database } from '../../src/platform/database/database.js';
import { serverUnderTest } from '../support/chaos.js';
import { TestHub } from '../support/hub.js';
import { ServerProcess } from '../support/server.process.js';

const certificate = (name: string) => resolve('test', 'support', 'certificates', name);

describe('a database server that demands TLS', () => {
  const { kind } = serverUnderTest();
  let server: ServerProcess;
  let starts = 0;

  beforeAll(async () => {
    const { MYSQL_PROGRAMS } = process.env;
    server = await ServerProcess.start(kind, {
      options: [
        ...[`--ssl-ca=${certificate('ca.pem')}`, `--ssl-cert=${certificate('server.pem')}`],
        ...[`--ssl-key=${certificate('server.key.pem')}`, '--require-secure-transport=ON'],
      ],
      ...(MYSQL_PROGRAMS === undefined ? {} : { binaries: MYSQL_PROGRAMS }),
    });
  }, 120_000);
  afterAll(() => server.stop());

  const urlOf = (parameters: string, host = 'localhost') =>
    `mysql://hub:hub@${host}:${server.port}/orders?${parameters}`;

  test.each([
    'ssl=true',
    'ssl-mode=REQUIRED',
    `ssl-ca=${certificate('ca.pem')}`,
    `ssl-mode=VERIFY_IDENTITY&ssl-ca=${certificate('ca.pem')}`,
  ])('is spoken to in TLS with %s', async (parameters) => {
    starts++;
    const hub = await TestHub.start({}, { url: urlOf(parameters), drop: async () => {} });
    for (const connection of [hub.database.writer, hub.database.reader]) {
      const [row]: { Value: string }[] = await connection.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
      expect(row?.Value).toMatch(/^TLS/);
    }
    const [seller, buyer] = [await hub.seller([{}], `seller-${starts}`), await hub.buyer(1_000, `buyer-${starts}`)];
    expect(await buyer.place(seller)).toMatchObject({ status: 'placed' });
    await hub.leave();
  });

  test.each([
    ['ssl=false', 'localhost', /add \?ssl=true or \?ssl-ca=|whether the account demands TLS/],
    [`ssl-ca=${certificate('other.ca.pem')}`, 'localhost', /check ssl-ca and ssl-mode/],
    ['ssl-mode=VERIFY_IDENTITY', 'localhost', /check ssl-ca and ssl-mode/],
  ])('stops the start with %s', async (parameters, host, sentence) => {
    await expect(Database.open(urlOf(parameters, host), [])).rejects.toThrow(sentence);
  });
});
