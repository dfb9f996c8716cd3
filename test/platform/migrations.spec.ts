import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';

describe('the migrations', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  /** The queries that a generated migration would contain. */
  async function pendingQueries(): Promise<string[]> {
    const { upQueries } = await hub.database.writer.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  const executed = async () =>
    (await hub.rows<{ name: string }>('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name);

  test('create the schema that the entities describe', async () => {
    expect(await pendingQueries()).toEqual([]);
  });

  test('would be reported as incomplete if an entity differed', async () => {
    const column = hub.database.writer.getMetadata('Book').findColumnWithPropertyName('price');
    if (!column) throw new Error('A book has no price');
    column.isNullable = true;
    const found = await pendingQueries();
    column.isNullable = false;
    expect(found.length).toBeGreaterThan(0);
  });

  test('run once', async () => {
    expect(await hub.database.writer.runMigrations()).toEqual([]);
    hub = await hub.restart();
    expect(await executed()).toEqual(hub.database.writer.migrations.map(({ name }) => name));
  });

  test('are completed by the next start after an interruption', async () => {
    const runner = hub.database.writer.createQueryRunner();
    await runner.query("DELETE FROM migrations WHERE name NOT LIKE 'Initial%'");
    await runner.dropIndex('command_answers', 'command_answers_by_time');
    await runner.query('ALTER TABLE rooms DROP COLUMN version');
    await runner.release();
    hub = await hub.restart();
    expect(await pendingQueries()).toEqual([]);
    expect(await executed()).toHaveLength(hub.database.writer.migrations.length);
  });

  test('are completed by the next start after an interruption of the first one', async () => {
    const runner = hub.database.writer.createQueryRunner();
    await runner.query('DELETE FROM migrations');
    for (const table of ['leases', 'hub_batches', 'command_answers', 'room_events', 'rooms', 'orders'])
      await runner.dropTable(table);
    await runner.dropIndex('books', 'books_by_store');
    await runner.release();
    hub = await hub.restart();
    expect(await pendingQueries()).toEqual([]);
    expect(await executed()).toHaveLength(hub.database.writer.migrations.length);
    expect((await hub.seller()).storeId).toBeDefined();
  });

  test('add constraints for invalid values', async () => {
    const { userId } = await hub.person();
    await expect(
      hub.database.writer.query('UPDATE wallets SET balance = -1 WHERE user_id = ?', [userId]),
    ).rejects.toThrow();
    const { storeId } = await hub.seller();
    await expect(
      hub.database.writer.query('UPDATE books SET price = -1 WHERE store_id = ?', [storeId]),
    ).rejects.toThrow();
    await expect(
      hub.database.writer.query("UPDATE books SET price = 'much' WHERE store_id = ?", [storeId]),
    ).rejects.toThrow();
    await expect(hub.database.writer.query('UPDATE book_stock SET stock = -1')).rejects.toThrow();
  });

  test('keep every event through undo and redo', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer();
    await buyer.place(seller);
    const events = () => hub.rows('SELECT * FROM room_events ORDER BY role, user_id, seq');
    const before = await events();
    expect(before).toHaveLength(2);
    do await hub.database.writer.undoLastMigration();
    while ((await executed()).some((name) => name.startsWith('EventsAsTheyCome')));
    expect(await events()).toEqual(before);
    await hub.database.writer.runMigrations();
    expect(await events()).toEqual(before);
  });

  test('number the sessions that an earlier release has ended', async () => {
    const { writer } = hub.database;
    const ended = () => hub.rows('SELECT token_hash, user_id, reason, at FROM ended_sessions ORDER BY at');
    await (await hub.person()).post('/auth/logout');
    await writer.undoLastMigration();
    await writer.query(
      "INSERT INTO ended_sessions (token_hash, user_id, reason, at) VALUES ('old', 'ann', 'logout', 1)",
    );
    const before = await ended();
    await writer.runMigrations();
    expect(await ended()).toEqual(before);
    const numbers = await hub.rows<{ ended_no: number }>('SELECT ended_no FROM ended_sessions ORDER BY ended_no');
    expect(numbers.map(({ ended_no }) => ended_no)).toEqual(before.map((_, index) => index + 1));
  });

  test('can be reverted', async () => {
    const { writer } = hub.database;
    for (const _ of writer.migrations) await writer.undoLastMigration();
    const runner = writer.createQueryRunner();
    for (const { tableName } of writer.entityMetadatas) {
      expect([tableName, await runner.hasTable(tableName)]).toEqual([tableName, false]);
    }
    await runner.release();
    await writer.runMigrations();
  });
});
