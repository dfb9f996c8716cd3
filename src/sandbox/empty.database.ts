import type { Database } from '../platform/database/database.js';
import { SANDBOX_TABLE } from './sandbox.state.js';

/** What says which schema this is, and the sandbox's own row. */
const KEPT = ['migrations', 'database_info', SANDBOX_TABLE];

/** Deletes every row of every table, and sets back the numbers of rooms and the time: as after the migrations. */
export async function emptyDatabase(database: Database): Promise<void> {
  const { dialect } = database;
  const columns: { tableName: string }[] = await database.writer.query(dialect.columnsSql);
  let tables = [...new Set(columns.map(({ tableName }) => tableName))].filter((name) => !KEPT.includes(name));
  while (tables.length > 0) {
    const left: string[] = [];
    let refusal: unknown;
    for (const table of tables) {
      await database
        .transaction((tx) => tx.query(`DELETE FROM ${dialect.ddl.quote(table)}`))
        .catch((error: unknown) => {
          // Rows of another table may refer to these: they go first.
          refusal = error;
          left.push(table);
        });
    }
    if (left.length === tables.length) throw refusal;
    tables = left;
  }
  await database.transaction(async (tx) => {
    await tx.query('UPDATE database_info SET room_floor = 0');
    await tx.query(`UPDATE ${SANDBOX_TABLE} SET ahead_ms = 0, resets = resets + 1`);
  });
}
