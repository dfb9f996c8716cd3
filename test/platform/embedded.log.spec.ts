import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DatabaseReader } from '../support/database.reader.js';
import { TestHub } from '../support/hub.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const MEGABYTE = 1_000_000;
const TRANSACTIONS = 24;
const ROWS = 4;
/** So large the log gets before it is copied to the file, and one transaction more: 16 and 4 MB. What is read holds it up a little. */
const LOG_MAX = 40 * MEGABYTE;

/** The embedded database, whatever the other tests run on. */
describe('the log of the embedded database', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let reader: DatabaseReader;
  beforeAll(async () => {
    database = await createTestDatabase('');
    hub = await TestHub.start({}, database);
    reader = new DatabaseReader(database);
  });
  afterAll(async () => {
    await reader.close();
    await hub.stop();
  });

  test('is begun anew when it has been copied to the file, whoever has looked into the database', async () => {
    const buyer = await hub.buyer();
    const columns = ['user_id', 'idem_key', 'message_hash', 'answer', 'at'];
    for (const turn of range(TRANSACTIONS)) {
      const rows = range(ROWS).map((row) => ['nobody', `${turn}-${row}`, '', 'x'.repeat(MEGABYTE), 0]);
      const write = { table: 'command_answers', columns, rows };
      await hub.database.transaction((tx) => tx.query(...hub.database.dialect.write(write)));
      await buyer.get('/wallet');
      expect(await reader.rows('SELECT idem_key FROM command_answers')).toHaveLength((turn + 1) * ROWS);
    }
    const { size } = await stat(`${database.url.slice('sqlite:'.length)}-wal`);
    expect(size).toBeLessThan(LOG_MAX);
  });
});
