import { closeSync, fstatSync, openSync, readSync, renameSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { type EmbeddedDatabase, type FileWatch, isLocked } from './embedded.driver.js';
import { cannotUse, FileLock, fileOf, identityOf, inodeOf, pathIn } from './file.lock.js';
import { holdsCommits } from './wal.index.js';

/** A check this recent need not be repeated before a COMMIT. */
const RECENT_MS = 50;
/** How often a transaction renews the mark, at most. */
const MARK_INTERVAL_MS = 1_000;
/** `PRAGMA user_version` counts seconds from here, because it has 32 bits. */
const MARK_EPOCH_MS = Date.UTC(2025, 0);
const USER_VERSION_OFFSET = 60;
const HEADER_BYTES = 100;
const header = Buffer.alloc(HEADER_BYTES);
/** Less than a few batches write. */
const FREE_BYTES_MIN = 262_144;
/** Needs free pages in the file and free space on the disk, and leaves nothing behind. */
const TRIAL = [
  'CREATE TABLE trial (bytes BLOB)',
  `INSERT INTO trial VALUES (zeroblob(${FREE_BYTES_MIN}))`,
  'DROP TABLE trial',
];
const DAMAGED = /database disk image is malformed|file is not a database/;
const UNWRITABLE = /disk I\/O error|database or disk is full|readonly database|unable to open database file/;

/** A file by its path, the inode that SQLite has open, and a descriptor of our own. */
interface OpenFile {
  path: string;
  inode: string;
  descriptor: number;
}

/** The files are not those that the hub opened, or are damaged: what is committed now would not be there after a restart. */
export class EmbeddedFileLost extends Error {}

/**
 * The files of an embedded database, locked for this process. SQLite keeps writing to files that were removed or replaced, and
 * mixes its pages into one that was overwritten. So each COMMIT is followed by a check that its files are still in place, and
 * no statement runs while they are not.
 */
export class EmbeddedFile implements FileWatch {
  private files: OpenFile[] = [];
  private writer: EmbeddedDatabase | undefined;
  private checkedAt = Number.NEGATIVE_INFINITY;
  /** Grows with time, inside the database: a file whose mark is older than one seen before has been overwritten. */
  private mark = 0;
  private markSeen = 0;
  private markedAt = Number.NEGATIVE_INFINITY;
  private loss: EmbeddedFileLost | undefined;
  private isDamaged = false;
  private isOverwritten = false;
  /** Of the last write that failed. Only a successful trial clears it. */
  private failure: unknown;

  private constructor(
    private readonly configuredPath: string,
    /** Without symbolic links. */
    readonly path: string,
    private readonly lock: FileLock,
  ) {}

  /** Locks the files for this process. Throws one line if they cannot be used, or another hub uses them. */
  static open(url: string): EmbeddedFile {
    const lock = FileLock.take(url);
    return new EmbeddedFile(resolve(pathIn(url)), fileOf(url), lock);
  }

  attach(connection: EmbeddedDatabase, isWriter: boolean): void {
    connection.watch = this;
    if (isWriter) this.writer = connection;
  }

  /** Remembers the files once the connections have opened them. Closing a descriptor would release SQLite's locks: all stay open. */
  start(): void {
    this.takeMark();
    this.files = [this.path, `${this.path}-wal`, `${this.path}-shm`].map((path) => ({
      path,
      inode: inodeOf(path) ?? '',
      descriptor: openSync(path, 'r'),
    }));
    this.markSeen = this.readMark() ?? 0;
  }

  /** Throws `EmbeddedFileLost` unless the files are in place. */
  check(isThorough = true): void {
    const reason = this.isDamaged ? 'is damaged' : this.reasonOfLoss(isThorough);
    this.checkedAt = performance.now();
    if (reason === undefined) {
      this.loss = undefined;
      return;
    }
    this.loss ??= new EmbeddedFileLost(
      `${this.path} ${reason}. Nothing is accepted until the hub is stopped, the file restored (without -wal and -shm files of another), and the hub started`,
    );
    throw this.loss;
  }

  /** Throws what keeps commands from being executed now, if anything does. `write` runs statements in one transaction. */
  async probe(write: (statements: readonly string[]) => Promise<void>): Promise<void> {
    this.check();
    const free = freeBytes(dirname(this.path));
    if (free < FREE_BYTES_MIN) throw new Error(`The disk is full: ${free} bytes are free for ${this.path}`);
    if (this.failure === undefined) return;
    await write(TRIAL).catch(() => {
      throw this.failure;
    });
    this.failure = undefined;
  }

  before(isCommit: boolean): void {
    if (isCommit && performance.now() - this.checkedAt > RECENT_MS) this.check();
    if (this.loss) throw this.loss;
    if (isCommit && performance.now() - this.markedAt > MARK_INTERVAL_MS) this.renewMark();
  }

  committed(): void {
    this.check(false);
  }

  failed(error: unknown, connection: EmbeddedDatabase): void {
    const { message } = error as Error;
    if (DAMAGED.test(message)) this.isDamaged = true;
    // A stray write on the read-only connection says nothing about the file.
    else if (connection === this.writer && UNWRITABLE.test(message)) this.failure = error;
  }

  /** Whether closing the connection, which moves the WAL into the file, would damage what now stands there. */
  get mustStayOpen(): boolean {
    return this.isOverwritten;
  }

  /** Names the file in an error that kept it from being opened. */
  explain(error: unknown): unknown {
    return isUnusable(error) || isLocked(error) ? cannotUse(this.path, error) : error;
  }

  /**
   * Before the connections are closed: moves the WAL into the file, so that the database of a stopped hub is one file. A WAL that was
   * removed is still open, and is not lost.
   */
  finish(): void {
    try {
      const [main, wal, shm] = this.files;
      const isInPlace = inodeOf(this.configuredPath) === main?.inode && this.isMarkValid() && !this.isDamaged;
      if (!isInPlace || !wal || !shm) return;
      if (!holdsCommits(wal.descriptor, fstatSync(wal.descriptor).size, shm.descriptor)) return;
      this.writer?.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // The next start replays the WAL.
    }
  }

  /** After the connections are closed. */
  close(): void {
    if (!this.isOverwritten) for (const { descriptor } of this.files) closeSync(descriptor);
    this.files = [];
    this.lock.release();
  }

  private reasonOfLoss(isThorough: boolean): string | undefined {
    try {
      const reason = this.findLoss();
      if (reason !== undefined || !isThorough) return reason;
      this.lock.renew();
      return undefined;
    } catch (error) {
      return `cannot be used (${(error as Error).message})`;
    }
  }

  private findLoss(): string | undefined {
    const [main, wal, shm] = this.files;
    if (!main || !wal || !shm) return undefined;
    // Through the configured path: a symbolic link may point elsewhere by now.
    const inode = inodeOf(this.configuredPath);
    if (inode === undefined) return 'was removed or moved while the hub was using it';
    const isReplaced = inode !== main.inode;
    // Again, because another process may have committed between its two reads.
    const isWalOurs = isWhole(wal, shm) || isWhole(wal, shm);
    if (isReplaced || !this.isMarkValid()) {
      this.isOverwritten = !isReplaced;
      // SQLite would replay it into the file that now stands there.
      if (isWalOurs) renameSync(wal.path, `${wal.path}.replaced-${Date.now()}`);
      return 'was replaced while the hub was using it';
    }
    if (!isWalOurs) return 'has lost its -wal file, which was removed or replaced while the hub was using it';
    if (inodeOf(shm.path) !== shm.inode) return 'has lost its -shm file, which was removed or replaced';
    return undefined;
  }

  private isMarkValid(): boolean {
    const mark = this.readMark();
    if (mark === undefined || mark < this.markSeen || mark > this.mark) return false;
    this.markSeen = mark;
    return true;
  }

  private readMark(): number | undefined {
    const bytes = readSync(this.files[0]?.descriptor ?? -1, header, 0, HEADER_BYTES, 0);
    return bytes === HEADER_BYTES ? header.readUInt32BE(USER_VERSION_OFFSET) : undefined;
  }

  /** A file that has the mark of an earlier run has been overwritten, so the mark of this one goes to the disk at once. */
  private takeMark(): void {
    const [row] = (this.writer?.pragma('user_version') ?? []) as { user_version: number }[];
    this.mark = row?.user_version ?? 0;
    try {
      this.renewMark();
      this.writer?.pragma('wal_checkpoint(PASSIVE)');
    } catch (error) {
      this.failure = error;
    }
  }

  private renewMark(): void {
    this.markedAt = performance.now();
    const seconds = Math.floor((Date.now() - MARK_EPOCH_MS) / 1_000);
    this.mark = Math.max(this.mark + 1, seconds);
    this.writer?.exec(`PRAGMA user_version = ${this.mark}`);
  }
}

/** The files are lost or damaged, or cannot be read or written now. */
export function isUnusable(error: unknown): boolean {
  const { driverError, message = '' } = (error ?? {}) as Partial<Error> & { driverError?: unknown };
  return (driverError ?? error) instanceof EmbeddedFileLost || DAMAGED.test(message) || UNWRITABLE.test(message);
}

/** The WAL is in place and holds what was committed. */
function isWhole(wal: OpenFile, shm: OpenFile): boolean {
  const found = statSync(wal.path, { throwIfNoEntry: false });
  if (!found || identityOf(found) !== wal.inode) return false;
  return holdsCommits(wal.descriptor, found.size, shm.descriptor);
}

function freeBytes(folder: string): number {
  const { bsize, bfree, bavail, blocks } = statfsSync(folder);
  // Some network file systems count nothing.
  if (blocks === 0) return Number.POSITIVE_INFINITY;
  const isRoot = process.getuid?.() === 0;
  return bsize * (isRoot ? bfree : bavail);
}
