import { closeSync, mkdirSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDatabaseUrl } from './database.url.js';
import { EmbeddedDatabase, isLocked } from './embedded.driver.js';

/** The path in a `sqlite:` URL, absolute and without symbolic links, so that one file has one lock and one WAL. */
export function fileOf(url: string): string {
  const path = resolve(pathIn(url));
  return inodeOf(path) === undefined ? path : realpathSync(path);
}

/** Identifies a file on this machine, whatever its name; undefined if there is none. */
export function inodeOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && identityOf(found);
}

export function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** The lock of an embedded database for this process. The operating system releases it when the process dies. */
export class FileLock {
  private constructor(
    private readonly path: string,
    private connection: EmbeddedDatabase,
    private inode: string | undefined,
  ) {}

  /** Creates the file if there is none, and locks it. Throws one line if that is not possible. */
  static take(url: string): FileLock {
    try {
      create(resolve(pathIn(url)));
      const file = fileOf(url);
      if (statSync(file).nlink > 1) {
        // Each name would have a WAL of its own: two hubs, or one under another name, would not see what the other committed.
        throw new Error('it has several hard links, and must have one');
      }
      const path = `${file}.lock`;
      return new FileLock(path, lock(path), inodeOf(path));
    } catch (error) {
      if (isLocked(error)) throw new Error(anotherHub(pathIn(url)));
      throw cannotUse(pathIn(url), error);
    }
  }

  /** Locks again if the lock file was removed, which would let another hub in. Throws if one is in already. */
  renew(): void {
    const inode = inodeOf(this.path);
    if (inode !== undefined && inode === this.inode) return;
    try {
      const connection = lock(this.path);
      this.connection.close();
      this.connection = connection;
      this.inode = inodeOf(this.path);
    } catch (error) {
      throw isLocked(error) ? new Error(anotherHub(this.path)) : error;
    }
  }

  release(): void {
    this.connection.close();
  }
}

/** Why the hub does not start, in one line. */
export function cannotUse(file: string, error: unknown): Error {
  const reason = (error as Error).message;
  return new Error(
    `DATABASE_URL: ${file} cannot be used (${reason}). The hub needs a database file, or none yet, in a folder that it can write to`,
  );
}

/** The path in a `sqlite:` URL, as it was configured. */
export function pathIn(url: string): string {
  const location = parseDatabaseUrl(url);
  if (location.kind !== 'file') throw new Error('DATABASE_URL names a server, not a file');
  return location.file;
}

/** Through a symbolic link, too. A file that exists is not opened: closing it would release the locks of its connections. */
function create(path: string): void {
  if (inodeOf(path) !== undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'a'));
}

function lock(path: string): EmbeddedDatabase {
  const connection = new EmbeddedDatabase(path, { timeout: 0 });
  try {
    connection.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function anotherHub(file: string): string {
  return `Another hub is using ${file}. One process can use an embedded database; several need MySQL or MariaDB (DATABASE_URL).`;
}
