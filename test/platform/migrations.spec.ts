import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub } from '../support/hub.js';

describe('the migrations', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  /** What another migration would have to do, so that the schema is what the entities describe. */
  async function stillToDo(): Promise<string[]> {
    const { upQueries } = await hub.database.writer.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  test('make the schema that the entities describe: to generate another migration finds nothing', async () => {
    expect(await stillToDo()).toEqual([]);
  });

  test('a difference between an entity and its table would be found', async () => {
    const column = hub.database.writer.getMetadata('Book').findColumnWithPropertyName('price');
    if (!column) throw new Error('A book has no price');
    column.isNullable = true;
    const found = await stillToDo();
    column.isNullable = false;
    expect(found.length).toBeGreaterThan(0);
  });

  test('are done once: a second start finds all of them', async () => {
    expect(await hub.database.writer.runMigrations()).toEqual([]);
    hub = await hub.restart();
    expect(await hub.rows('SELECT name FROM migrations')).toEqual([
      { name: 'Initial1700000000000' },
      { name: 'Keeping1700000001000' },
      { name: 'EventsByRoom1700000002000' },
      { name: 'EventsAsTheyCome1700000003000' },
    ]);
  });

  test('that were interrupted half-way are ended by the next start', async () => {
    const runner = hub.database.writer.createQueryRunner();
    await runner.query("DELETE FROM migrations WHERE name NOT LIKE 'Initial%'");
    await runner.dropIndex('command_answers', 'command_answers_by_time');
    await runner.release();
    hub = await hub.restart();
    expect(await stillToDo()).toEqual([]);
    expect(await hub.rows('SELECT name FROM migrations')).toHaveLength(4);
  });

  test('of which the first was interrupted are ended by the next start', async () => {
    const runner = hub.database.writer.createQueryRunner();
    await runner.query('DELETE FROM migrations');
    for (const table of ['hub_batches', 'command_answers', 'room_events', 'rooms', 'orders'])
      await runner.dropTable(table);
    await runner.dropIndex('books', 'books_by_store');
    await runner.release();
    hub = await hub.restart();
    expect(await stillToDo()).toEqual([]);
    expect(await hub.rows('SELECT name FROM migrations')).toHaveLength(4);
    expect((await hub.seller()).storeId).toBeDefined();
  });

  test('the database itself refuses what the rules never write', async () => {
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

  test('keep every event, there and back', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer();
    await buyer.place(seller);
    const events = () => hub.rows('SELECT * FROM room_events ORDER BY role, user_id, seq');
    const before = await events();
    expect(before).toHaveLength(2);
    await hub.database.writer.undoLastMigration();
    expect(await events()).toEqual(before);
    await hub.database.writer.runMigrations();
    expect(await events()).toEqual(before);
  });

  test('can be taken back', async () => {
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
