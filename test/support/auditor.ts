import { type Role, roles } from '../../src/contract/transitions.js';
import { audit, type Books, readShelf, type Shelf } from './audit.js';
import { DatabaseReader } from './database.reader.js';
import { type History, resumedFrom, roomsOf, verify } from './history.js';
import { until } from './hub.js';
import type { TestDatabase } from './test.database.js';

const AUDIT_EVERY_MS = 250;
const SETTLED_WITHIN_MS = 10_000;
/** The database may still be restarting when the final audit begins. */
const FINAL_AUDIT_WITHIN_MS = 30_000;

interface AuditorOptions {
  history: History;
  /** Copies stocked so far; read from the database at start by default. */
  shelf?: Shelf;
}

/**
 * Audits the database four times a second while hubs and clients are under load, and at the end verifies the clients' history
 * against it. Keeps the first occurrence of each kind of fault.
 */
export class Auditor {
  audits = 0;
  /** Audits skipped because the database was unavailable, which is not a fault. */
  missedAudits = 0;
  private readonly found = new Map<string, string>();
  private readonly reached = new Map<string, number>();
  private readonly finals = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  private constructor(
    private readonly reader: DatabaseReader,
    private readonly history: History,
    private readonly shelf: Shelf,
  ) {}

  static async start(database: Pick<TestDatabase, 'url'>, { history, shelf }: AuditorOptions): Promise<Auditor> {
    const reader = new DatabaseReader(database);
    const auditor = new Auditor(reader, history, shelf ?? (await reader.snapshot(readShelf)));
    auditor.schedule(0);
    return auditor;
  }

  /** Faults found so far. */
  get faults(): string[] {
    return [...this.found.values()];
  }

  /** Whether every client is connected and has received every event of its rooms. */
  async isSettled(): Promise<boolean> {
    const heads = await this.reader.snapshot(readHeads);
    const latest = new Map(this.history.sessions.map((session) => [session.clientId, session]));
    return [...latest.values()].every((session) => {
      const { cut, ready, events } = session;
      if (cut || !ready) return false;
      return roomsOf(session).every(({ role, userId }) => {
        const delivered = events.findLast((push) => push.role === role)?.seq ?? resumedFrom(session, role) ?? 0;
        return delivered >= (heads.get(nameOf(role, userId)) ?? 0);
      });
    });
  }

  /** Waits until every client is up to date. A client that never is shows up as a fault in `finish`. */
  async settled(withinMs = SETTLED_WITHIN_MS): Promise<void> {
    await until('every client is up to date', () => this.isSettled(), withinMs).catch(() => {});
  }

  /** Stops auditing, runs a final audit and verification, and returns every fault found. */
  async finish(): Promise<string[]> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    let lastError: unknown;
    const audited = async () => {
      lastError = undefined;
      await this.auditOnce(true).catch((error: unknown) => {
        lastError = error;
      });
      return lastError === undefined;
    };
    await until('the database can be read at the end', audited, FINAL_AUDIT_WITHIN_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${String(lastError)}`);
    });
    await this.reader.close();
    return this.faults;
  }

  private schedule(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      const started = Date.now();
      this.running = this.auditOnce(false)
        .catch(() => {
          this.missedAudits += 1;
        })
        // Audits take at most half of the time.
        .then(() => this.schedule(Math.max(AUDIT_EVERY_MS, Date.now() - started)));
    }, ms);
  }

  private async auditOnce(isFinal: boolean): Promise<void> {
    // Noted before the snapshot: whatever a client knows by now must be committed in it.
    const known = roles.flatMap((role) =>
      [...this.history.latest[role]].map(([userId, seq]) => ({ role, userId, seq })),
    );
    await this.reader.snapshot(async (books) => {
      const heads = await readHeads(books);
      for (const { role, userId, seq } of known) {
        const head = heads.get(nameOf(role, userId)) ?? 0;
        if (seq > head) this.add(`sent before commit: ${nameOf(role, userId)}`, `${seq} of ${head}`);
      }
      for (const [room, head] of heads) this.expectMonotonic(this.reached, room, head);
      await this.auditOrders(books);
      for (const fault of await audit(books, { shelf: this.shelf, whole: true })) this.add(kindOf(fault), fault);
      if (isFinal) for (const fault of await verify(this.history, books)) this.add(fault, fault);
    });
    this.audits += 1;
  }

  /** Versions only grow, and final orders never change. */
  private async auditOrders(books: Books): Promise<void> {
    const versions = await books.rows<{ buyerId: string; versions: number; orders: number }>(
      'SELECT buyer_id AS buyerId, SUM(version) AS versions, COUNT(*) AS orders FROM orders GROUP BY buyer_id',
    );
    for (const { buyerId, versions: sum, orders } of versions) {
      this.expectMonotonic(this.reached, `sum of the versions of orders by ${buyerId}`, Number(sum));
      this.expectMonotonic(this.reached, `number of orders by ${buyerId}`, Number(orders));
    }
    const finals = await books.rows<{ buyerId: string; status: string; orders: number }>(
      "SELECT buyer_id AS buyerId, status, COUNT(*) AS orders FROM orders WHERE status IN ('received', 'cancelled') GROUP BY buyer_id, status",
    );
    const counts = new Map(finals.map((row) => [`${row.status} orders by ${row.buyerId}`, Number(row.orders)]));
    for (const what of new Set([...this.finals.keys(), ...counts.keys()])) {
      this.expectMonotonic(this.finals, what, counts.get(what) ?? 0);
    }
  }

  private expectMonotonic(reached: Map<string, number>, what: string, now: number): void {
    const before = reached.get(what) ?? 0;
    if (now < before) this.add(`regressed: ${what}`, `from ${before} to ${now}`);
    reached.set(what, Math.max(before, now));
  }

  private add(kind: string, fault: string): void {
    if (this.found.has(kind)) return;
    this.found.set(kind, fault.startsWith(kind) ? fault : `${kind}: ${fault}`);
  }
}

function nameOf(role: Role, userId: string): string {
  return `${role} room of ${userId}`;
}

/** A fault's description without the rows that prove it. */
function kindOf(fault: string): string {
  return fault.split(': ')[0] ?? fault;
}

async function readHeads(books: Books): Promise<Map<string, number>> {
  const rooms = await books.rows<{ role: Role; userId: string; head: number }>(
    'SELECT role, user_id AS userId, head FROM rooms',
  );
  return new Map(rooms.map(({ role, userId, head }) => [nameOf(role, userId), head]));
}
