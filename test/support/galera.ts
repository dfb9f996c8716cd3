import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { createTestDatabase, type TestDatabase } from './test.database.js';

const NODES = 3;

/** A database on the three nodes of the cluster whose first node is at TEST_DATABASE_URL. Each entry drops it from all. */
export async function createOnEveryNode(): Promise<TestDatabase[]> {
  const first = await createTestDatabase();
  return Array.from({ length: NODES }, (_, index) => ({ url: onNode(first.url, index), drop: first.drop }));
}

/** While it lasts, a node applies nothing of what the others commit. Returns how to end that. */
export async function holdBack({ url }: TestDatabase): Promise<() => Promise<void>> {
  const connection = await mysql.createConnection(
    Object.assign(new URL(url), { username: 'root', password: '', pathname: '/' }).href,
  );
  await connection.query('FLUSH TABLES WITH READ LOCK');
  return async () => {
    await connection.query('UNLOCK TABLES');
    await connection.end();
  };
}

/** Runs the work on a node that catches up only after this time. */
export async function whileBehind<T>(node: TestDatabase, forMs: number, work: () => Promise<T>): Promise<T> {
  const release = await holdBack(node);
  const working = work();
  working.catch(() => {});
  await sleep(forMs);
  await release();
  return working;
}

function onNode(url: string, index: number): string {
  const node = new URL(url);
  node.port = String(Number(node.port) + index);
  return node.href;
}
