import { Injectable } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { type Role, roles } from '../contract/lifecycle.js';
import type { BookStockPush } from '../contract/rooms.js';
import { Database, type Tx } from '../platform/database.js';
import { forgetInSteps } from '../platform/forget.js';
import { Metrics } from '../platform/metrics.js';

/** A room, and a number that its events are known to have reached. */
export interface RoomHead {
  role: Role;
  userId: string;
  head: number;
}

/** What the owner of a store is told of a book's stock. It has no number, so nobody can ask for it later. */
export interface StockAlert {
  ownerId: string;
  push: BookStockPush;
}

/** What a batch has to tell the other hubs: the rooms that it wrote to, and what owners are told besides. */
export interface BatchNews {
  rooms: Iterable<RoomHead>;
  stockAlerts: readonly StockAlert[];
}

/** Stands where rooms have their role; hubs that do not know it pass it over. */
const STOCK = 'stock';

/** Batches are kept for the other hubs this long. A hub that has not looked for longer looks into every room anew. */
export const BATCHES_KEPT_MS = 600_000;
const DAY_MS = 86_400_000;
/** So long after the database answers again a COMMIT that was on its way to it may still take effect. */
const DOUBT_MS = 30_000;

/** The batches of the hub processes on one database, and what this one has seen of the others'. */
@Injectable()
export class HubNodes {
  /** This process, for as long as it lives. */
  readonly nodeId = uuid();
  private readonly seen = new Map<string, number>();
  /** Batches of this process that may have been committed, and until when that can come out. */
  private readonly doubtful = new Map<number, number | undefined>();

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  /** Signs a batch of this process, in the batch's own transaction. */
  async sign(tx: Tx, batchNo: number, { rooms, stockAlerts }: BatchNews, now: number): Promise<void> {
    const written = JSON.stringify([
      ...[...rooms].map(({ role, userId, head }) => [role, userId, head]),
      ...stockAlerts.map(({ ownerId, push }) => [STOCK, ownerId, push]),
    ]);
    const sql = 'INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, ?, ?, ?)';
    await tx.query(sql, [this.nodeId, batchNo, written, now]);
  }

  /** Reads under a lock, so that a COMMIT that the server is still working on has ended when the answer comes. */
  async hasSigned(batchNo: number): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const sql = `SELECT batch_no FROM hub_batches WHERE node_id = ? AND batch_no = ?${this.database.dialect.forUpdate}`;
      const rows: unknown[] = await tx.query(sql, [this.nodeId, batchNo]);
      return rows.length > 0;
    });
  }

  /** It could not be found out whether a batch of this process was committed, so that it was not told. If it was, it is news. */
  doubt(batchNo: number): void {
    this.doubtful.set(batchNo, undefined);
  }

  /** Takes all that was committed until now for seen. */
  async catchUp(): Promise<void> {
    for (const { nodeId, batchNo } of await this.latest()) this.seen.set(nodeId, batchNo);
  }

  /**
   * What other hubs have to tell since the last look, and this one of what it did not know to be committed. What it costs does
   * not depend on idle rooms or hubs.
   */
  async news(now = Date.now()): Promise<{ rooms: RoomHead[]; stockAlerts: StockAlert[] }> {
    const found = await this.foundCommitted();
    const told = [...(await this.toldByOthers()), ...found.flatMap(readTold)];
    this.clear(found, now);
    return { rooms: told.flatMap(readRoom), stockAlerts: told.flatMap(readAlert) };
  }

  private async toldByOthers(): Promise<Told[]> {
    const news = (await this.latest()).filter(
      ({ nodeId, batchNo }) => nodeId !== this.nodeId && batchNo > (this.seen.get(nodeId) ?? 0),
    );
    if (news.length === 0) return [];
    const where = news.map(() => '(node_id = ? AND batch_no > ? AND batch_no <= ?)').join(' OR ');
    const parameters = news.flatMap(({ nodeId, batchNo }) => [nodeId, this.seen.get(nodeId) ?? 0, batchNo]);
    const rows: { rooms: string; at: number }[] = await this.database.read.query(
      `SELECT rooms, at FROM hub_batches WHERE ${where} ORDER BY at, batch_no`,
      parameters,
    );
    for (const { nodeId, batchNo } of news) this.seen.set(nodeId, batchNo);
    for (const { at } of rows) this.metrics.hintRead(Date.now() - at);
    return rows.flatMap(readTold);
  }

  private async foundCommitted(): Promise<Batch[]> {
    if (this.doubtful.size === 0) return [];
    const [where, batchNos] = this.database.dialect.among.values('batch_no', [...this.doubtful.keys()]);
    const sql = `SELECT batch_no AS batchNo, rooms FROM hub_batches WHERE node_id = ? AND ${where}`;
    return this.database.read.query(sql, [this.nodeId, ...batchNos]);
  }

  private clear(found: readonly Batch[], now: number): void {
    for (const { batchNo } of found) this.doubtful.delete(Number(batchNo));
    for (const [batchNo, until = now + DOUBT_MS] of [...this.doubtful]) {
      if (now > until) this.doubtful.delete(batchNo);
      else this.doubtful.set(batchNo, until);
    }
  }

  /** Forgets old batches: of this process those that every other has had time to see, of others what is a day old. */
  async prune(now: number): Promise<void> {
    const nodes = (await this.latest()).map(({ nodeId }) => nodeId);
    for (const nodeId of this.seen.keys()) if (!nodes.includes(nodeId)) this.seen.delete(nodeId);
    for (const nodeId of nodes) {
      const before = now - (nodeId === this.nodeId ? BATCHES_KEPT_MS : DAY_MS);
      await forgetInSteps((rowsMax) => this.forgetOldest(nodeId, before, rowsMax));
    }
  }

  private async forgetOldest(nodeId: string, before: number, rowsMax: number): Promise<number> {
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

  private latest(): Promise<{ nodeId: string; batchNo: number }[]> {
    // Read along the primary key, from the last batch of one node to the last of the next.
    return this.database.read.query(
      'SELECT node_id AS nodeId, MAX(batch_no) AS batchNo FROM hub_batches GROUP BY node_id',
    );
  }
}

/** As it is written: a room and its head, or an owner and what is told of a stock. */
type Told = [name: string, userId: string, what: unknown];

type Batch = Record<'batchNo' | 'rooms', string>;

function readTold({ rooms }: Pick<Batch, 'rooms'>): Told[] {
  return JSON.parse(rooms) as Told[];
}

function readRoom([name, userId, head]: Told): RoomHead[] {
  const role = roles.find((known) => known === name);
  return role ? [{ role, userId, head: Number(head) }] : [];
}

function readAlert([name, ownerId, push]: Told): StockAlert[] {
  return name === STOCK ? [{ ownerId, push: push as BookStockPush }] : [];
}
