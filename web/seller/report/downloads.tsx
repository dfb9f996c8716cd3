import { useState } from 'react';
import { ErrorMessage } from '../../components/error.message.js';
import { useReportTexts } from '../../i18n/reports.js';
import { saveCsv } from '../save.file.js';
import { useTeam } from '../team.js';
import { readExport, reportCsv } from './exports.js';
import { isoDay, spanLabelOf } from './period.label.js';
import type { Period } from './report.js';

type Table = 'report' | 'orders' | 'transactions';

/** The span as tables to take along. */
export function Downloads({ periods, from, to }: { periods: readonly Period[]; from: number; to: number }) {
  const t = useReportTexts();
  const { rights } = useTeam();
  const [busy, setBusy] = useState<Table>();
  const [error, setError] = useState<unknown>();
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const read: Record<Table, () => Promise<Blob> | string> = {
    report: () => reportCsv(t.csvHeads, periods),
    orders: () => readExport('orders/export', { role: 'seller', ...span }),
    transactions: () => readExport('wallet/export', span),
  };
  const tables = (Object.keys(read) as Table[]).filter((table) => table !== 'orders' || rights.has('read'));

  async function save(table: Table) {
    setBusy(table);
    setError(undefined);
    try {
      saveCsv(`${t.files[table]} ${isoDay(from)} ${isoDay(to - 1)}.csv`, await read[table]());
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(undefined);
  }

  return (
    <section className="card" aria-label={t.download}>
      <h3>{t.download}</h3>
      <p className="quiet">{t.downloadIntro(spanLabelOf(from, to))}</p>
      <p className="actions">
        {tables.map((table) => (
          <button
            key={table}
            type="button"
            className="secondary"
            disabled={busy !== undefined}
            aria-busy={busy === table}
            onClick={() => save(table)}
          >
            {t.downloads[table]}
          </button>
        ))}
      </p>
      <ErrorMessage error={error} />
    </section>
  );
}
