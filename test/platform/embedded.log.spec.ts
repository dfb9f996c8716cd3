import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DatabaseReader } from '../support/database.reader.js';
import { TestHub } from '../support/hub.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const MEGABYTE = 1_000_000;
const TRANSACTIONS = 24;
const ROWS = 4;
/** The checkpoint threshold of 16 MB and a 4 MB transaction, with slack for readers that delay the checkpoint. */
const LOG_BYTES_MAX = 40 * MEGABYTE;

/** Always on the embedded database. */
describe('the write-ahead log of the embedded database', () => {
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

  test('restarts after a checkpoint, even with concurrent readers', async () => {
    const buyer = await hub.buyer();
    const columns = ['user_id', 'idem_key', 'message_hash', 'answer', 'at'];
    for (const round of range(TRANSACTIONS)) {
      const rows = range(ROWS).map((row) => ['nobody', `${round}-${row}`, '', 'x'.repeat(MEGABYTE), 0]);
      const write = { table: 'command_answers', columns, rows };
      await hub.database.transaction((tx) => tx.query(...hub.database.dialect.write(write)));
      await buyer.get('/wallet');
      expect(await reader.rows('SELECT idem_key FROM command_answers')).toHaveLength((round + 1) * ROWS);
    }
    const { size } = await stat(`${database.url.slice('sqlite:'.length)}-wal`);
    expect(size).toBeLessThan(LOG_BYTES_MAX);
  });
});
