import { Injectable } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { Clock } from '../platform/clock/clock.js';
import { Database, type Tx } from '../platform/database/database.js';
import { deleteInBatches } from '../platform/database/delete.in.batches.js';
import { Metrics } from '../platform/observability/metrics.js';
import { type BatchNews, type BatchRecord, encodeRecord, readRecords } from './batch.record.js';

/** How long batches are kept for the other hubs. A hub that has not polled for longer learns of them from the rooms' heads. */
export const BATCHES_KEPT_MS = 600_000;
const DAY_MS = 86_400_000;
/** Numbers of a node's batches that are looked up on every poll; the oldest beyond are left to the poll of the rooms' heads. */
export const MISSING_MAX = 200;

/**
 * The log of committed batches, by which the hub processes on one database follow each other. It makes events arrive soon; that
 * they arrive in the end is up to `HeadPoller`.
 */
@Injectable()
export class BatchLog {
  /** This process, for as long as it lives. */
  readonly nodeId = uuid();
  private readonly seen = new Map<string, number>();
  /**
   * Batches of each node that are not in the log, though later ones are or their COMMIT has an unknown outcome. Nothing limits
   * how late they may commit: a server can hold a COMMIT for as long as it likes.
   */
  private readonly missing = new Map<string, Set<number>>();

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /** Records a batch of this process, in the batch's own transaction. */
  async append(tx: Tx, batchNo: number, record: BatchRecord, now: number): Promise<void> {
    const sql = 'INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, ?, ?, ?)';
    await tx.query(sql, [this.nodeId, batchNo, encodeRecord(record), now]);
  }

  /** Whether a batch of this process was committed. The lock waits for a COMMIT that the server is still working on. */
  async contains(batchNo: number): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const sql = `SELECT batch_no FROM hub_batches WHERE node_id = ? AND batch_no = ?${this.database.dialect.forUpdate}`;
      const rows: unknown[] = await tx.query(sql, [this.nodeId, batchNo]);
      return rows.length > 0;
    });
  }

  /** The commit's outcome is unknown: publish the batch later if it did commit. */
  markUncertain(batchNo: number): void {
    this.addMissing(this.nodeId, [batchNo]);
  }

  /** Marks everything committed so far as read. */
  async catchUp(): Promise<void> {
    for (const { nodeId, batchNo } of await this.latest()) this.seen.set(nodeId, batchNo);
  }

  /**
   * What other hubs have committed since the last call, and what any hub has committed later than its next batch. Its cost does
   * not depend on the number of rooms or of idle hubs.
   */
  async readNew(): Promise<BatchNews> {
    const unread = (await this.latest()).filter(
      ({ nodeId, batchNo }) => nodeId !== this.nodeId && batchNo > (this.seen.get(nodeId) ?? 0),
    );
    const found = await this.find(unread);
    this.advance(unread, found);
    return readRecords(found);
  }

  /** The batches of these nodes up to these numbers that were not read before, and those that were missing. */
  private async find(unread: readonly LatestBatch[]): Promise<Batch[]> {
    const { inCondition } = this.database.dialect;
    const conditions: [where: string, parameters: unknown[]][] = unread.map(({ nodeId, batchNo }) => [
      '(node_id = ? AND batch_no > ? AND batch_no <= ?)',
      [nodeId, this.seen.get(nodeId) ?? 0, batchNo],
    ]);
    for (const [nodeId, numbers] of this.missing) {
      const [where, parameters] = inCondition.values('batch_no', [...numbers]);
      conditions.push([`(node_id = ? AND ${where})`, [nodeId, ...parameters]]);
    }
    if (conditions.length === 0) return [];
    const rows: Batch[] = await this.database.read.query(
      `SELECT node_id AS nodeId, batch_no AS batchNo, rooms, at FROM hub_batches
        WHERE ${conditions.map(([where]) => where).join(' OR ')} ORDER BY at, batch_no`,
      conditions.flatMap(([, parameters]) => parameters),
    );
    return rows.map((row) => ({ ...row, batchNo: Number(row.batchNo) }));
  }

  private advance(unread: readonly LatestBatch[], found: readonly Batch[]): void {
    for (const { nodeId, batchNo, at } of found) {
      if (nodeId !== this.nodeId) this.metrics.batchAge(this.clock.now() - at);
      this.missing.get(nodeId)?.delete(batchNo);
      if (this.missing.get(nodeId)?.size === 0) this.missing.delete(nodeId);
    }
    for (const { nodeId, batchNo: latest } of unread) {
      const numbers = new Set(found.flatMap((batch) => (batch.nodeId === nodeId ? batch.batchNo : [])));
      const last = this.seen.get(nodeId);
      // Of a node that is new here, what is older was deleted.
      const first = last === undefined ? Math.min(...numbers) : last + 1;
      const missing: number[] = [];
      for (let batchNo = latest; batchNo >= first && missing.length < MISSING_MAX; batchNo--)
        if (!numbers.has(batchNo)) missing.unshift(batchNo);
      this.addMissing(nodeId, missing);
      this.seen.set(nodeId, latest);
    }
  }

  private addMissing(nodeId: string, batchNos: readonly number[]): void {
    if (batchNos.length === 0) return;
    const newest = [...(this.missing.get(nodeId) ?? []), ...batchNos].slice(-MISSING_MAX);
    this.missing.set(nodeId, new Set(newest));
  }

  /** Deletes old batches: this process's own once all others had time to read them, other processes' after a day. */
  async prune(now: number): Promise<void> {
    const nodes = (await this.latest()).map(({ nodeId }) => nodeId);
    for (const nodeId of [...this.seen.keys()].filter((known) => !nodes.includes(known))) {
      this.seen.delete(nodeId);
      this.missing.delete(nodeId);
    }
    for (const nodeId of nodes) {
      const before = now - (nodeId === this.nodeId ? BATCHES_KEPT_MS : DAY_MS);
      await deleteInBatches((rowsMax) => this.deleteOldest(nodeId, before, rowsMax));
    }
  }

  private async deleteOldest(nodeId: string, before: number, rowsMax: number): Promise<number> {
    const sql = 'SELECT batch_no AS batchNo, at FROM hub_batches WHERE node_id = ? ORDER BY batch_no LIMIT ?';
    const oldest: { batchNo: number; at: number }[] = await this.database.read.query(sql, [nodeId, rowsMax]);
    const old = oldest.filter(({ at }) => at < before);
    const last = old.at(-1);
    if (!last) return 0;
    await this.database.transaction((tx) =>
      tx.query('DELETE FROM hub_batches WHERE node_id = ? AND batch_no <= ?', [nodeId, last.batchNo]),
    );
    return old.length;
  }

  private latest(): Promise<LatestBatch[]> {
    // A loose index scan of the primary key: one row for each node.
    return this.database.read.query(
      'SELECT node_id AS nodeId, MAX(batch_no) AS batchNo FROM hub_batches GROUP BY node_id',
    );
  }
}

interface LatestBatch {
  nodeId: string;
  batchNo: number;
}

interface Batch extends LatestBatch {
  rooms: string;
  at: number;
}
