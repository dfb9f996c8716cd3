import { EntityManager, type Logger, type QueryRunner } from 'typeorm';
import type { TestHub } from './hub.js';

export interface Statement {
  sql: string;
  parameters: unknown[];
}

/** Records every statement and its connection. */
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
  const original = hub.database.writer.logger;
  const recorder = new Recorder();
  for (const connection of connections) connection.logger = recorder;
  try {
    await work();
  } finally {
    for (const connection of connections) connection.logger = original;
  }
  return recorder.statements;
}

/** Every statement on the writing connections during the work. */
export async function statementsOf(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  return (await record(hub, work)).map(({ sql, parameters }) => ({ sql, parameters }));
}

/** The same, including reads, which the embedded database makes on another connection. */
export async function everyStatementOf(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  const { writer, read } = hub.database;
  const statements = await record(hub, work, [...new Set([writer, read.dataSource])]);
  return statements.map(({ sql, parameters }) => ({ sql, parameters }));
}

/** The statements of the only batch during the work, from its BEGIN to its COMMIT. */
export async function statementsOfBatch(hub: TestHub, work: () => Promise<unknown>): Promise<Statement[]> {
  const statements = await record(hub, work);
  // The hub also polls for due orders: only the transaction that writes the batch log counts.
  const logged = single(statements.filter(writesBatchLog));
  return statements
    .filter(({ runner }) => runner === logged.runner)
    .map(({ sql, parameters }) => ({ sql, parameters }));
}

/** Round trips of the only batch during the work, without its COMMIT: pipelined statements count once. */
export async function waitsOfBatch(work: () => Promise<unknown>): Promise<number> {
  const counts = new Map<EntityManager, { pending: number; waits: number; isBatch: boolean }>();
  const { query } = EntityManager.prototype;
  EntityManager.prototype.query = async function <T>(this: EntityManager, sql: string, parameters?: unknown[]) {
    const count = counts.get(this) ?? { pending: 0, waits: 0, isBatch: false };
    counts.set(this, count);
    if (count.pending++ === 0) count.waits++;
    count.isBatch ||= writesBatchLog({ sql });
    try {
      return (await query.call(this, sql, parameters)) as T;
    } finally {
      count.pending--;
    }
  };
  try {
    await work();
  } finally {
    EntityManager.prototype.query = query;
  }
  return single([...counts.values()].filter(({ isBatch }) => isBatch)).waits;
}

function writesBatchLog({ sql }: { sql: string }): boolean {
  return sql.includes('INTO hub_batches');
}

function single<T>(batches: readonly T[]): T {
  const [batch] = batches;
  if (!batch || batches.length > 1) throw new Error(`Expected one batch, got ${batches.length}`);
  return batch;
}
