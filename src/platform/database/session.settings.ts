/** Session variables and their values. Text is quoted in SQL. */
export type SessionSettings = Readonly<Record<string, string | number>>;

/** No limit, for variables of 64 bits. DEFAULT would be the server's global value. */
const UNLIMITED = '18446744073709551615';

/**
 * Everything that the hub relies on in a session of a MariaDB or MySQL server, set on every connection: otherwise the server's global
 * values would decide, which another application may need.
 */
export const sharedSettings: SessionSettings = {
  // The whole mode. A backslash is an ordinary character: see server.driver.ts.
  sql_mode: 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  time_zone: '+00:00',
  autocommit: 1,
  // Otherwise a COMMIT begins the next transaction, or closes the connection.
  completion_type: 'NO_CHAIN',
  default_storage_engine: 'InnoDB',
  foreign_key_checks: 1,
  unique_checks: 1,
  sql_auto_is_null: 0,
  sql_big_selects: 1,
  // Waits for table locks end by the driver's own timeout.
  lock_wait_timeout: 86_400,
  sql_safe_updates: 0,
  sql_select_limit: UNLIMITED,
  max_join_size: UNLIMITED,
  // Sorting compares this many bytes: more than an id has.
  max_sort_length: 1_024,
  net_read_timeout: 30,
  net_write_timeout: 60,
};

/** `a = 1, b = 'text'`, for SET SESSION. */
export function settingsSql(settings: SessionSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${sqlOf(value)}`)
    .join(', ');
}

/** Selects the value of each setting under its name. */
export function readSettingsSql(settings: SessionSettings): string {
  return `SELECT ${Object.keys(settings).map((name) => `@@SESSION.${name} AS ${name}`)}`;
}

/** The settings that do not have their value: `name is 'value' instead of 'value'`. */
export function differencesOf(settings: SessionSettings, found: Record<string, unknown>): string[] {
  return Object.entries(settings)
    .filter(([name, value]) => normalized(found[name]) !== normalized(value))
    .map(([name, value]) => `${name} is '${String(found[name])}' instead of '${value}'`);
}

function sqlOf(value: string | number): string {
  return typeof value === 'number' || value === UNLIMITED ? String(value) : `'${value}'`;
}

/** Servers list modes in their own order, in capitals, and print numbers in several forms. */
function normalized(value: unknown): string {
  const text = String(value).toUpperCase();
  return /^\d+\.\d+$/.test(text) ? String(Number(text)) : text.split(',').sort().join();
}
