import { type Role, roles } from '../../src/contract/lifecycle.js';
import { audit, type Books, readShelf, type Shelf } from './audit.js';
import { DatabaseReader } from './database.reader.js';
import { type History, verify } from './history.js';
import { until } from './hub.js';
import type { TestDatabase } from './test.database.js';

const LOOK_EVERY_MS = 250;
const SETTLED_WITHIN_MS = 10_000;
/** The last look is of a database that is up, or soon will be. */
const LAST_LOOK_WITHIN_MS = 30_000;

interface AuditorOptions {
  history: History;
  /** What was put on the shelves; read from the database at the start unless given. */
  shelf?: Shelf;
}

/**
 * Looks into the database four times a second while hubs and clients are at work, and at the end holds what the clients
 * were told against it. Each kind of fault is kept once, in the words in which it was seen first.
 */
export class Auditor {
  looks = 0;
  /** Looks at which the database was away, which is no fault. */
  missedLooks = 0;
  private readonly found = new Map<string, string>();
  private readonly reached = new Map<string, number>();
  private readonly finals = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private stopped = false;

  private constructor(
    private readonly reader: DatabaseReader,
    private readonly history: History,
    private readonly shelf: Shelf,
  ) {}

  static async start(database: Pick<TestDatabase, 'url'>, { history, shelf }: AuditorOptions): Promise<Auditor> {
    const reader = new DatabaseReader(database);
    const auditor = new Auditor(reader, history, shelf ?? (await reader.snapshot(readShelf)));
    auditor.lookLater(0);
    return auditor;
  }

  /** What was found until now. */
  get faults(): string[] {
    return [...this.found.values()];
  }

  /** Whether every client is connected, and has been given all that its rooms hold. */
  async isSettled(): Promise<boolean> {
    const heads = await this.reader.snapshot(readHeads);
    const latest = new Map(this.history.sittings.map((sitting) => [sitting.clientId, sitting]));
    return [...latest.values()].every(({ cut, ready, userId, last, events }) => {
      if (cut || !ready) return false;
      return roles.every((role) => {
        const given = events.findLast((push) => push.role === role)?.seq ?? last?.[role] ?? ready.rooms[role].head;
        return given >= (heads.get(nameOf(role, userId)) ?? 0);
      });
    });
  }

  /** Waits until everybody has heard everything. That somebody never does is told by `finish`. */
  async settled(withinMs = SETTLED_WITHIN_MS): Promise<void> {
    await until('everybody has heard everything', () => this.isSettled(), withinMs).catch(() => {});
  }

  /** Stops looking, takes a last look at everything, and gives all that was ever found. */
  async finish(): Promise<string[]> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
    let missed: unknown;
    const last = async () => {
      missed = undefined;
      await this.look(true).catch((error: unknown) => {
        missed = error;
      });
      return missed === undefined;
    };
    await until('the database can be read at the end', last, LAST_LOOK_WITHIN_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${String(missed)}`);
    });
    await this.reader.close();
    return this.faults;
  }

  private lookLater(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      const started = Date.now();
      this.looking = this.look(false)
        .catch(() => {
          this.missedLooks += 1;
        })
        // Never more than half of the time is spent with looking.
        .then(() => this.lookLater(Math.max(LOOK_EVERY_MS, Date.now() - started)));
    }, ms);
  }

  private async look(isLast: boolean): Promise<void> {
    // Noted before the snapshot is taken: what anybody was told until now must be in it.
    const told = roles.flatMap((role) => [...this.history.told[role]].map(([userId, seq]) => ({ role, userId, seq })));
    await this.reader.snapshot(async (books) => {
      const heads = await readHeads(books);
      for (const { role, userId, seq } of told) {
        const head = heads.get(nameOf(role, userId)) ?? 0;
        if (seq > head) this.add(`told before it was committed: ${nameOf(role, userId)}`, `${seq} of ${head}`);
      }
      for (const [room, head] of heads) this.mustNotGoBack(this.reached, room, head);
      await this.lookAtOrders(books);
      for (const fault of await audit(books, { shelf: this.shelf, whole: true })) this.add(kindOf(fault), fault);
      if (isLast) for (const fault of await verify(this.history, books)) this.add(fault, fault);
    });
    this.looks += 1;
  }

  /** Versions only grow; and in a final status, nothing changes. */
  private async lookAtOrders(books: Books): Promise<void> {
    const versions = await books.rows<{ buyerId: string; versions: number; orders: number }>(
      'SELECT buyer_id AS buyerId, SUM(version) AS versions, COUNT(*) AS orders FROM orders GROUP BY buyer_id',
    );
    for (const { buyerId, versions: sum, orders } of versions) {
      this.mustNotGoBack(this.reached, `sum of the versions of orders by ${buyerId}`, Number(sum));
      this.mustNotGoBack(this.reached, `number of orders by ${buyerId}`, Number(orders));
    }
    const finals = await books.rows<{ buyerId: string; status: string; orders: number }>(
      "SELECT buyer_id AS buyerId, status, COUNT(*) AS orders FROM orders WHERE status IN ('received', 'cancelled') GROUP BY buyer_id, status",
    );
    const counts = new Map(finals.map((row) => [`${row.status} orders by ${row.buyerId}`, Number(row.orders)]));
    for (const what of new Set([...this.finals.keys(), ...counts.keys()])) {
      this.mustNotGoBack(this.finals, what, counts.get(what) ?? 0);
    }
  }

  private mustNotGoBack(reached: Map<string, number>, what: string, now: number): void {
    const before = reached.get(what) ?? 0;
    if (now < before) this.add(`went back: ${what}`, `from ${before} to ${now}`);
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

/** A fault without the rows that show it. */
function kindOf(fault: string): string {
  return fault.split(': ')[0] ?? fault;
}

async function readHeads(books: Books): Promise<Map<string, number>> {
  const rooms = await books.rows<{ role: Role; userId: string; head: number }>(
    'SELECT role, user_id AS userId, head FROM rooms',
  );
  return new Map(rooms.map(({ role, userId, head }) => [nameOf(role, userId), head]));
}
