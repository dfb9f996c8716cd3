import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import mysql from 'mysql2/promise';

/**
 * A new database for one measurement: a file in a temporary folder, or a database on the server of a URL, with a name of its own
 * where a measurement needs several. `drop` deletes it.
 */
export async function createDatabase(serverUrl, suffix = 'a') {
  if (!serverUrl) {
    const folder = mkdtempSync(join(tmpdir(), 'order-hub-measure-'));
    const drop = async () => rmSync(folder, { recursive: true, force: true });
    return { url: `sqlite:${join(folder, 'hub.sqlite')}`, drop };
  }
  const name = `hub_measure_${process.pid}_${suffix}`;
  const server = await mysql.createConnection(serverUrl);
  await server.query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = async () => {
    await server.query(`DROP DATABASE ${name}`);
    await server.end();
  };
  return { url: url.href, drop };
}
