import type mysql from 'mysql2';
import type { Host } from './database.url.js';
import { codeOf, isUnreachable } from './driver.errors.js';

const ANSWER_TIMEOUT_MS = 3_000;

/** The driver's private parts of a pool. */
interface Pool {
  /** Its new connections go here. */
  config: { connectionConfig: Host };
  _freeConnections: { toArray(): Connection[] };
  getConnection(callback: (error: Error | null, connection: Connection) => void): void;
  on(event: 'release', listener: (connection: Connection) => void): void;
}
type Connection = Pick<mysql.Connection, 'config' | 'query' | 'destroy'>;

const attached = new WeakMap<object, ServerHosts>();

/**
 * The servers of a `DATABASE_URL` of which one takes writes. All pools of a hub use the same one, because it must read what it has
 * written: the first, in turn, that can be reached and takes writes.
 */
export class ServerHosts {
  private readonly pools = new Set<Pool>();
  /** Connections whose server took writes when they were opened. */
  private readonly tried = new WeakSet<Connection>();
  private index = 0;
  /** The server that was last found to take writes. */
  private chosen: Host | undefined;
  /** How often that has become another one. */
  failovers = 0;

  constructor(private readonly hosts: readonly [Host, ...Host[]]) {}

  /** Makes a pool open its connections where writes are taken. It stays as it is where there is one server. */
  attach(driverPool: mysql.Pool): void {
    if (this.hosts.length === 1) return;
    const pool = driverPool as unknown as Pool;
    attached.set(pool, this);
    this.pools.add(pool);
    this.direct(pool);
    const getConnection = pool.getConnection.bind(pool);
    const get = () =>
      new Promise<Connection>((resolve, reject) =>
        getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
      );
    pool.getConnection = (callback) => {
      this.connect(get).then(
        (connection) => callback(null, connection),
        (error: Error) => callback(error, undefined as never),
      );
    };
    pool.on('release', (connection) => {
      if (!this.isCurrent(connection)) connection.destroy();
    });
  }

  /** Ends idle connections, so that the next ones find out whether this server still takes writes. */
  doubt(): void {
    for (const pool of this.pools) for (const connection of pool._freeConnections.toArray()) connection.destroy();
  }

  isCurrent({ config }: Connection): boolean {
    return config.host === this.current.host && config.port === this.current.port;
  }

  private get current(): Host {
    return this.hosts[this.index] ?? this.hosts[0];
  }

  private async connect(get: () => Promise<Connection>): Promise<Connection> {
    for (let attempt = 1; ; attempt++) {
      const { index } = this;
      try {
        const connection = await get();
        if (this.isCurrent(connection)) {
          await this.assertWritable(connection);
          return connection;
        }
        connection.destroy();
      } catch (error) {
        // An error without a code is the pool's own: it is full or closed, whatever the server does.
        if (!isUnreachable(error) || codeOf(error) === '') throw error;
        this.leave(index);
        if (attempt >= this.hosts.length) throw error;
      }
    }
  }

  private async assertWritable(connection: Connection): Promise<void> {
    if (this.tried.has(connection)) return;
    try {
      await assertWritable(connection);
      this.tried.add(connection);
      if (this.isCurrent(connection)) this.choose(this.current);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  private choose(host: Host): void {
    if (this.chosen !== undefined && this.chosen !== host) this.failovers++;
    this.chosen = host;
  }

  /** Goes on to the next server, unless another connection has done so. */
  private leave(index: number): void {
    if (this.index !== index) return;
    this.index = (index + 1) % this.hosts.length;
    for (const pool of this.pools) this.direct(pool);
    this.doubt();
  }

  private direct(pool: Pool): void {
    Object.assign(pool.config.connectionConfig, this.current);
  }
}

/** Rejects with what a write would: a replica, and a node of Group Replication that does not write, are read-only. */
export function assertWritable(connection: Pick<mysql.Connection, 'query'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const sql = 'SELECT @@GLOBAL.read_only AS readOnly';
    connection.query<mysql.RowDataPacket[]>({ sql, timeout: ANSWER_TIMEOUT_MS }, (error, rows) => {
      if (error) reject(error);
      // A number, or a word by newer servers that know several ways of being read-only.
      else if (/^(0|OFF)$/.test(String(rows[0]?.readOnly))) resolve();
      else
        reject(
          Object.assign(new Error('The server is read-only'), { code: 'ER_OPTION_PREVENTS_STATEMENT', errno: 1290 }),
        );
    });
  });
}

/** The servers among which a pool chooses; undefined where there is one. */
export function hostsOf(pool: object): ServerHosts | undefined {
  return attached.get(pool);
}
