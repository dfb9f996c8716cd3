import { HubError, readErrorBody } from '../../../src/contract/errors.js';
import { ACTING_FOR_HEADER } from '../../../src/contract/staff.js';
import { toDecimal } from '../../money.js';
import { hubUrl, session } from '../../session.js';
import { isoDay } from './period.label.js';
import type { Period } from './report.js';

/** Reads one of the hub's exports. Not by the client, which waits seconds for an answer: a year of orders may take minutes. */
export async function readExport(path: string, query: Record<string, string>): Promise<Blob> {
  const user = session.get();
  const headers: Record<string, string> = { authorization: `Bearer ${user?.token}` };
  if (user?.for !== undefined) headers[ACTING_FOR_HEADER] = encodeURIComponent(user.for);
  const response = await fetch(`${hubUrl}${path}?${new URLSearchParams(query)}`, { headers }).catch(() => undefined);
  if (!response) throw new HubError('UNAVAILABLE');
  if (response.ok) return response.blob();
  const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined;
  const error = readErrorBody(body?.error);
  throw error ? HubError.fromBody(error) : new HubError('UNAVAILABLE');
}

/** The report's own table: texts come from the pages, so that none needs quoting. */
export function reportCsv(heads: readonly string[], periods: readonly Period[]): string {
  const rows = periods.map(({ from, to, orders, sales, refunds, paidOut }) => [
    ...[isoDay(from), isoDay(to - 1), orders],
    ...[sales, refunds, paidOut].map(toDecimal),
  ]);
  return [heads, ...rows].map((row) => `${row.join()}\r\n`).join('');
}
