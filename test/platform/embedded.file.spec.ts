import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DatabaseReader } from '../support/database.reader.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, range } from '../support/ways.js';

/** A second, with slack for a busy machine. */
const NOTICED_WITHIN_MS = 5_000;
/** A backup that is older than this is told apart from the file. */
const MARK_INTERVAL_MS = 1_100;
const LOGGED = 'the database file cannot be used now';

function fileOf({ url }: TestDatabase): string {
  return url.slice('sqlite:'.length);
}

async function isReady({ url }: { url: string }): Promise<boolean> {
  return (await fetch(`${url}/health/ready`)).status === 200;
}

/** Always on the embedded database. */
describe('the file of a running hub', () => {
  let database: TestDatabase;
  let file: string;
  let hub: TestHub;
  let log: LogBook;
  let seller: Person;
  let buyer: Person;

  beforeEach(async () => {
    database = await createTestDatabase('');
    file = fileOf(database);
    log = new LogBook();
    hub = await TestHub.start({ logLevel: 'info' }, database, log);
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    // To be restored in ways in which it must not be.
    await hub.database.writer.query(`VACUUM INTO '${file}.backup'`);
    await sleep(MARK_INTERVAL_MS);
    await buyer.place(seller);
    await hub.database.writer.query('PRAGMA wal_checkpoint(RESTART)');
    await buyer.place(seller);
  });
  afterEach(() => hub.stop());

  const place = () =>
    buyer.send('order:place', {
      storeId: seller.storeId,
      items: [{ bookId: 'book-1', count: 1 }],
      key: crypto.randomUUID(),
    });
  const isLogged = () => log.written.filter((line) => line.includes(LOGGED)).length;

  const losses: [string, () => void][] = [
    ['removed', () => rmSync(file)],
    ['moved away', () => renameSync(file, `${file}.away`)],
    ['replaced by a move', () => renameSync(`${file}.backup`, file)],
    ['overwritten by a copy', () => copyFileSync(`${file}.backup`, file)],
    ['emptied', () => truncateSync(file, 0)],
    ['removed from below its log', () => rmSync(`${file}-wal`)],
    ['left with an empty log', () => truncateSync(`${file}-wal`, 0)],
    ['left with the log of another', () => writeFileSync(`${file}-wal`, Buffer.alloc(1_000_000, 1))],
    ['left without the index of its log', () => rmSync(`${file}-shm`)],
    ['removed with its folder', () => rmSync(dirname(file), { recursive: true })],
    [
      'seen through a link that now points elsewhere',
      () => {
        renameSync(file, `${file}.away`);
        symlinkSync(`${file}.backup`, file);
      },
    ],
    ['moved with its folder', () => renameSync(dirname(file), `${dirname(file)}.away`)],
  ];

  test.each(losses)('%s: nothing more is acknowledged, the hub is not ready and says so once', async (_, lose) => {
    expect(await isReady(hub)).toBe(true);
    lose();
    const answers = await Promise.all(range(10).map(place));
    expect(answers.map(codeOf)).toEqual(range(10).map(() => 'UNAVAILABLE'));
    await until('the hub is not ready', async () => !(await isReady(hub)), NOTICED_WITHIN_MS);
    await until('the loss is logged', () => isLogged() > 0, NOTICED_WITHIN_MS);
    expect(codeOf(await place())).toBe('UNAVAILABLE');
    expect((await buyer.get('/wallet')).status).toBe(503);
    expect((await fetch(`${hub.url}/health/live`)).status).toBe(200);
    expect(isLogged()).toBe(1);
    rmSync(`${dirname(file)}.away`, { recursive: true, force: true });
    mkdirSync(dirname(file), { recursive: true });
  });

  test('moved away and back again is used again', async () => {
    renameSync(file, `${file}.away`);
    await until('the hub is not ready', async () => !(await isReady(hub)), NOTICED_WITHIN_MS);
    renameSync(`${file}.away`, file);
    await until('the hub is ready', () => isReady(hub), NOTICED_WITHIN_MS);
    expect(codeOf(await place())).toBe('OK');
    hub = await hub.restart();
    expect(await hub.rows('SELECT order_id FROM orders')).toHaveLength(3);
  });

  test.each(['-wal', '-shm'])('without its %s has everything after an orderly stop', async (suffix) => {
    rmSync(`${file}${suffix}`);
    await until('the hub is not ready', async () => !(await isReady(hub)), NOTICED_WITHIN_MS);
    await hub.leave();
    // What the next process finds, without what is still open in this one.
    copyFileSync(file, `${file}.left`);
    const left = new DatabaseReader({ url: `sqlite:${file}.left` });
    expect(await left.rows('SELECT order_id FROM orders')).toHaveLength(2);
    await left.close();
    await database.drop();
    hub = await TestHub.start({}, await createTestDatabase(''));
  });

  test('is backed up and written by others meanwhile', async () => {
    await hub.database.writer.query(`VACUUM INTO '${file}.copy'`);
    const script = `
      import { DatabaseSync } from '@photostructure/sqlite';
      const database = new DatabaseSync(process.argv[1]);
      database.exec("UPDATE books SET title = 'changed'");
      database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      database.close();`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', script, file]).status).toBe(0);
    for (const _ of range(5)) expect(codeOf(await place())).toBe('OK');
    expect(await isReady(hub)).toBe(true);
    expect(isLogged()).toBe(0);
  });

  test('that is damaged is not used any more', async () => {
    await hub.database.read.query('PRAGMA cache_size = 0');
    const size = statSync(file).size;
    await hub.database.writer.query('PRAGMA wal_checkpoint(TRUNCATE)');
    await hub.database.writer.query('PRAGMA shrink_memory');
    const descriptor = openSync(file, 'r+');
    for (let at = 8_192; at < size; at += 4_096) writeSync(descriptor, Buffer.alloc(512, 255), 0, 512, at);
    await until(
      'the hub is not ready',
      async () => {
        await place();
        return !(await isReady(hub));
      },
      NOTICED_WITHIN_MS,
    );
    expect(codeOf(await place())).toBe('UNAVAILABLE');
    closeSync(descriptor);
  });

  test('that is full makes the hub not ready until there is space again', async () => {
    await hub.database.writer.query('PRAGMA max_page_count = 1');
    await until('the file is full', async () => codeOf(await place()) === 'UNAVAILABLE');
    expect(await isReady(hub)).toBe(false);
    expect((await buyer.get('/wallet')).status).toBe(200);
    await until('it is logged', () => isLogged() > 0, NOTICED_WITHIN_MS);
    await hub.database.writer.query('PRAGMA max_page_count = 1000000');
    await until('the hub is ready', () => isReady(hub), NOTICED_WITHIN_MS);
    expect(codeOf(await place())).toBe('OK');
    expect(isLogged()).toBe(1);
    expect(await hub.rows("SELECT name FROM sqlite_master WHERE name = 'trial'")).toEqual([]);
  });
});

describe('a backup', () => {
  test.each<[string, (from: string, to: string) => void]>([
    ['moved', renameSync],
    ['copied', copyFileSync],
  ])('%s over the file of a running hub is what the next start finds, whole', async (_, restore) => {
    const database = await createTestDatabase('');
    const file = fileOf(database);
    const first = await HubProcess.start(database);
    await first.register('before');
    expect(await first.terminate()).toBe(0);
    copyFileSync(file, `${file}.backup`);
    const second = await HubProcess.start(database);
    await second.register('after');
    restore(`${file}.backup`, file);
    await until('the hub is not ready', async () => !(await isReady(second)), NOTICED_WITHIN_MS);
    await second.kill();
    const third = await HubProcess.start(database);
    expect((await third.register('after')).token).not.toBe('');
    expect((await third.register('before')).token).not.toBe('');
    await third.terminate();
    const check = new DatabaseReader(database);
    expect(await check.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(await check.rows('SELECT user_id FROM users ORDER BY created_at')).toEqual([
      { user_id: 'before' },
      { user_id: 'after' },
    ]);
    await check.close();
    await database.drop();
  });
});

describe('a second hub', () => {
  const folders: TestDatabase[] = [];
  afterAll(async () => {
    for (const { drop } of folders) await drop();
  });

  async function started(): Promise<{ hub: TestHub; file: string }> {
    const database = await createTestDatabase('');
    folders.push(database);
    return { hub: await TestHub.start({}, database), file: fileOf(database) };
  }
  const startAt = (file: string) => TestHub.start({}, { url: `sqlite:${file}`, drop: async () => {} });

  test.each<[string, (file: string) => string]>([
    ['a relative path', (file) => relative(process.cwd(), file)],
    ['dots in its path', (file) => join(dirname(file), '.', '..', basename(dirname(file)), basename(file))],
    [
      'a symbolic link',
      (file) => {
        symlinkSync(file, `${file}.link`);
        return `${file}.link`;
      },
    ],
    [
      'a link to a link',
      (file) => {
        symlinkSync(basename(file), `${file}.link`);
        symlinkSync(`${file}.link`, `${file}.link2`);
        return `${file}.link2`;
      },
    ],
    [
      'a symbolic link to its folder',
      (file) => {
        symlinkSync(dirname(file), `${dirname(file)}.link`);
        return join(`${dirname(file)}.link`, basename(file));
      },
    ],
    [
      'a hard link',
      (file) => {
        linkSync(file, `${file}.hard`);
        return `${file}.hard`;
      },
    ],
  ])('does not start on the same file by %s', async (_, aliasOf) => {
    const { hub, file } = await started();
    const alias = aliasOf(file);
    await expect(startAt(alias)).rejects.toThrow(/Another hub is using|has several hard links/);
    expect((await hub.seller()).storeId).toBeDefined();
    expect(await isReady(hub)).toBe(true);
    rmSync(`${dirname(file)}.link`, { force: true });
    await hub.leave();
  });

  test('does not start through a link that was made before the file', async () => {
    const database = await createTestDatabase('');
    folders.push(database);
    const link = `${fileOf(database)}.link`;
    symlinkSync(basename(fileOf(database)), link);
    const hub = await startAt(link);
    await expect(TestHub.start({}, database)).rejects.toThrow('Another hub is using');
    await hub.leave();
    const names = readdirSync(dirname(link)).filter((name) => !/-(wal|shm)$/.test(name));
    expect(names.sort()).toEqual(['hub.sqlite', 'hub.sqlite.link', 'hub.sqlite.lock']);
  });

  test('does not start after the lock file was removed', async () => {
    const { hub, file } = await started();
    rmSync(`${file}.lock`);
    await until('the lock is taken again', () => statSync(`${file}.lock`, { throwIfNoEntry: false }) !== undefined);
    await expect(startAt(file)).rejects.toThrow('Another hub is using');
    expect(await isReady(hub)).toBe(true);
    await hub.leave();
  });
});

describe('a file that cannot be used', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase('');
  });
  afterEach(() => database.drop());

  test.each<[string, (file: string) => string]>([
    ['is a folder', (file) => dirname(file)],
    [
      'is in a file',
      (file) => {
        writeFileSync(file, '');
        return join(file, 'hub.sqlite');
      },
    ],
    [
      'is no database',
      (file) => {
        writeFileSync(file, 'not a database, but long enough to look at: '.repeat(100));
        return file;
      },
    ],
    ['is in memory', () => ':memory:'],
    ['is a URI', (file) => `file:${file}?mode=ro`],
  ])('stops the start with one line that names the setting: it %s', async (_, make) => {
    const url = `sqlite:${make(fileOf(database))}`;
    const start = TestHub.start({}, { url, drop: async () => {} });
    await expect(start).rejects.toThrow(/^(The configuration is invalid:\n {2})?DATABASE_URL: [^\n]+$/);
  });
});
