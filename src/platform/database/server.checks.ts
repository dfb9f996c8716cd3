import type { DataSource } from 'typeorm';
import { differencesOf, readSettingsSql, type SessionSettings } from './session.settings.js';

/** A batch with as many order lines as it may have, in the longest texts, is one statement of several MiB. */
const PACKET_BYTES_MIN = 2 ** 24;

/** Settings that only an operator can change; a server may not have all of them. */
const SERVER_SQL =
  "SHOW SESSION VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'max_allowed_packet', 'enforce_storage_engine')";

/**
 * Reads back the session settings, which a proxy may have swallowed, and the settings that only an operator can change. Throws one
 * sentence that names each with which the hub cannot work.
 */
export async function verifyServer(dataSource: DataSource, settings: SessionSettings): Promise<void> {
  const [session]: Record<string, unknown>[] = await dataSource.query(readSettingsSql(settings));
  const rows: { Variable_name: string; Value: string }[] = await dataSource.query(SERVER_SQL);
  const server = new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
  const problems = [...differencesOf(settings, session ?? {}), ...serverProblems(server)];
  if (problems.length > 0) throw new Error(`The hub cannot work on this database server: ${problems.join('; ')}`);
}

function serverProblems(server: Map<string, string>): string[] {
  const problems: string[] = [];
  const must = (name: string, isFit: (value: string) => boolean, wanted: string) => {
    const value = server.get(name);
    if (value !== undefined && !isFit(value)) problems.push(`${name} is ${value} and must be ${wanted}`);
  };
  // READ COMMITTED cannot be replicated by statements.
  const isLogged = server.get('log_bin') === 'ON';
  must('binlog_format', (value) => !isLogged || value !== 'STATEMENT', 'ROW or MIXED');
  must('max_allowed_packet', (value) => Number(value) >= PACKET_BYTES_MIN, `at least ${PACKET_BYTES_MIN}`);
  must('enforce_storage_engine', (value) => /^(|NULL|InnoDB)$/i.test(value), 'empty, or InnoDB');
  return problems;
}
