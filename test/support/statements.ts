import { EntityManager, type Logger, type QueryRunner } from 'typeorm';
import type { TestHub } from './hub.js';

export interface Statement {
  sql: string;
  parameters: unknown[];
}

/** Writes down every statement that a hub gives while some work is done, and on whose connection. */
class Recorder implements Logger {
  readonly statements: (Statement & { runner: QueryRunner | undefined })[] = [];

  logQuery(sql: string, parameters: unknown[] = [], runner?: QueryRunner): void {
    this.statements.push({ sql, parameters, runner });
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

async function record(
  hub: TestHub,
  work: () => Promise<unknown>,
  connections = [hub.database.writer],
): Promise<Recorder['statements']> {
  const quiet = hub.database.writer.logger;
  const recorder = new Recorder();
  for (const connection of connections) connection.logger = recorder;
  try {
    await work();
  } finally {
    for (const connection of connections) connection.logger = quiet;
  }
  return recorder.statements;
}

/** Every statement on the connections for writing while some work is done. */
export async function statementsOf(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  return (await record(hub, work)).map(({ sql, parameters }) => ({ sql, parameters }));
}

/** The same, and what is only read: on the embedded database that is another connection. */
export async function everyStatementOf(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  const { writer, read } = hub.database;
  const statements = await record(hub, work, [...new Set([writer, read.dataSource])]);
  return statements.map(({ sql, parameters }) => ({ sql, parameters }));
}

/** The statements of the one batch that is run meanwhile, from its BEGIN to its COMMIT. */
export async function statementsOfBatch(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  const statements = await record(hub, work);
  // The hub also looks for orders that are due: only the transaction that signs for a batch counts.
  const signature = theOne(statements.filter(isSignature));
  return statements
    .filter(({ runner }) => runner === signature.runner)
    .map(({ sql, parameters }) => ({ sql, parameters }));
}

/** How often the one batch that is run meanwhile waits for its database, but for its COMMIT: what is given together counts once. */
export async function waitsOfBatch(work: () => Promise<unknown>): Promise<number> {
  const counts = new Map<EntityManager, { underWay: number; waits: number; signed: boolean }>();
  const { query } = EntityManager.prototype;
  EntityManager.prototype.query = async function <T>(this: EntityManager, sql: string, parameters?: unknown[]) {
    const count = counts.get(this) ?? { underWay: 0, waits: 0, signed: false };
    counts.set(this, count);
    if (count.underWay++ === 0) count.waits++;
    count.signed ||= isSignature({ sql });
    try {
      return (await query.call(this, sql, parameters)) as T;
    } finally {
      count.underWay--;
    }
  };
  try {
    await work();
  } finally {
    EntityManager.prototype.query = query;
  }
  return theOne([...counts.values()].filter(({ signed }) => signed)).waits;
}

function isSignature({ sql }: { sql: string }): boolean {
  return sql.includes('INTO hub_batches');
}

function theOne<T>(batches: readonly T[]): T {
  const [batch] = batches;
  if (!batch || batches.length > 1) throw new Error(`There were ${batches.length} batches, and not one`);
  return batch;
}
