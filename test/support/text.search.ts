import type { TestHub } from './hub.js';

/** The tables that hold this text in any of their cells, each once: what a search through a dump of the database would find. */
export async function tablesWith(hub: TestHub, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of await tablesOf(hub)) {
    const rows = await hub.rows(`SELECT * FROM ${table}`);
    if (rows.some((row) => Object.values(row).some((cell) => textOf(cell).includes(text)))) found.push(table);
  }
  return found.sort();
}

async function tablesOf(hub: TestHub): Promise<string[]> {
  const sql = hub.database.dialect.singleWriter
    ? "SELECT name AS name FROM sqlite_master WHERE type = 'table'"
    : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()';
  return (await hub.rows<{ name: string }>(sql)).map(({ name }) => name);
}

function textOf(cell: unknown): string {
  return Buffer.isBuffer(cell) ? cell.toString('utf8') : typeof cell === 'string' ? cell : (JSON.stringify(cell) ?? '');
}
