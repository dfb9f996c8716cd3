import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { RowDataPacket } from 'mysql2';
import mysql from 'mysql2/promise';
import { until } from './hub.js';
import { pick, range } from './ways.js';

const NODES = 3;
/** The others first have to agree that it is gone. */
const ELECTED_WITHIN_MS = 60_000;

function othersOf(node: number): number[] {
  return range(NODES).filter((other) => other !== node);
}

/** A cluster of which one node takes writes, as `npm run chaos` has started it. Nodes count from 0. */
export abstract class DatabaseCluster {
  constructor(
    private readonly script: string,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static underTest(): DatabaseCluster {
    const [kind = '', folder = '', port] = (process.env.CHAOS_SERVER ?? '').split(' ');
    if (kind === 'galera') return new GaleraCluster(kind, folder, Number(port));
    if (kind === 'group') return new ReplicationGroup(kind, folder, Number(port));
    throw new Error('Run this with `npm run chaos -- --on galera,group`');
  }

  /** The database at this URL, with every node as a host. */
  urlOf(url: string): string {
    return url.replace(/@[^/]*/, `@${range(NODES).map((node) => `127.0.0.1:${this.port + node}`)}`);
  }

  /** Makes a node the one that takes writes, as an operator's tool does. */
  abstract switchTo(node: number): Promise<void>;

  /** Kills the node that takes writes; another does, and it comes back. */
  async killWriter(): Promise<void> {
    const writer = await this.writer();
    this.signal(writer, 'SIGKILL');
    await this.replaced(writer);
    await promisify(execFile)('bash', [
      join('scripts', 'servers', this.script),
      'start',
      this.folder,
      String(this.port),
    ]);
  }

  /** Freezes the others: alone, this node has no quorum. */
  takeQuorumFrom(node: number): void {
    for (const other of othersOf(node)) this.signal(other, 'SIGSTOP');
  }

  /** Resolves once the node takes part in the cluster again. */
  async giveQuorumTo(node: number): Promise<void> {
    for (const other of othersOf(node)) this.signal(other, 'SIGCONT');
    await until('the node has quorum', () => this.hasQuorum(node).catch(() => false), ELECTED_WITHIN_MS);
  }

  protected abstract hasQuorum(node: number): Promise<boolean>;

  /** Lets every node be as it was started. */
  abstract restore(): Promise<void>;

  private signal(node: number, signal: NodeJS.Signals): void {
    process.kill(Number(readFileSync(join(this.folder, String(node + 1), 'pid'), 'utf8')), signal);
  }

  /** Waits until another node than this one, which is gone, takes writes. */
  protected abstract replaced(node: number): Promise<void>;

  /** Executes a statement at a node, as root. */
  protected async at(node: number, sql: string): Promise<RowDataPacket[]> {
    const connection = await mysql.createConnection(`mysql://root@127.0.0.1:${this.port + (node % NODES)}`);
    try {
      return (await connection.query<RowDataPacket[]>(sql))[0];
    } finally {
      await connection.end();
    }
  }

  protected async isWriter(node: number): Promise<boolean> {
    const [row] = await this.at(node, 'SELECT @@GLOBAL.read_only AS readOnly').catch(() => []);
    return row !== undefined && Number(row.readOnly) === 0;
  }

  protected async writer(): Promise<number> {
    for (const node of range(NODES)) if (await this.isWriter(node)) return node;
    throw new Error('No node takes writes');
  }
}

/** Any node could write: all but one are set read-only. */
class GaleraCluster extends DatabaseCluster {
  async switchTo(node: number): Promise<void> {
    for (const index of range(NODES)) {
      await this.at(index, 'SET GLOBAL read_only = 1');
      await this.at(index, 'KILL USER hub');
    }
    await this.at(node, 'SET GLOBAL read_only = 0');
  }

  async restore(): Promise<void> {
    for (const node of range(NODES)) await this.at(node, 'SET GLOBAL read_only = 0');
  }

  override async killWriter(): Promise<void> {
    await super.killWriter();
    await this.switchTo(await this.writer());
  }

  protected async hasQuorum(node: number): Promise<boolean> {
    return pick(await this.at(node, "SHOW STATUS LIKE 'wsrep_ready'"), 0).Value === 'ON';
  }

  protected async replaced(node: number): Promise<void> {
    const next = (node + 1) % NODES;
    await until(
      'the others are the cluster',
      async () => pick(await this.at(next, "SHOW STATUS LIKE 'wsrep_cluster_status'"), 0).Value === 'Primary',
      ELECTED_WITHIN_MS,
    );
    await this.at(next, 'SET GLOBAL read_only = 0');
  }
}

/** The group sees to it that one member takes writes. */
class ReplicationGroup extends DatabaseCluster {
  async switchTo(node: number): Promise<void> {
    const [member] = await this.at(node, 'SELECT @@server_uuid AS id');
    await this.at(node, `SELECT group_replication_set_as_primary('${String(member?.id)}')`);
  }

  async restore(): Promise<void> {}

  protected async hasQuorum(node: number): Promise<boolean> {
    const sql =
      "SELECT COUNT(*) AS online FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'";
    return Number(pick(await this.at(node, sql), 0).online) === NODES;
  }

  protected async replaced(node: number): Promise<void> {
    await until(
      'another member takes writes',
      async () => (await Promise.all(othersOf(node).map((other) => this.isWriter(other)))).includes(true),
      ELECTED_WITHIN_MS,
    );
  }
}
