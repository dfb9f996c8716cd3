import { parseDatabaseUrl } from './database.url.js';
import type { Dialect } from './dialect.js';
import { explained } from './driver.errors.js';
import { mariadb, mysql } from './server.dialect.js';
import { describeServer } from './server.driver.js';
import { sqlite } from './sqlite.dialect.js';

/** The dialect of the database at a URL. A server is asked what it is, and whether it belongs to a cluster. Throws if it is unreachable. */
export async function dialectOf(url: string): Promise<Dialect> {
  const location = parseDatabaseUrl(url);
  if (location.kind === 'file') return sqlite;
  const { version, sessionVariables } = await describeServer(location).catch((error: unknown) => {
    throw explained(error);
  });
  const dialect = /mariadb/i.test(version) ? mariadb : mysql;
  return {
    ...dialect,
    connectionOptions: (url, shared) => dialect.connectionOptions(url, shared, { sessionVariables }),
  };
}
