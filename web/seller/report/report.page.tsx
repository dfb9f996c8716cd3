import '../../style/reports.css';
import { EmptyState } from '../../components/empty.state.js';
import { LoadError } from '../../components/error.message.js';
import { useTranslations } from '../../i18n/language.js';
import { useReportTexts } from '../../i18n/reports.js';
import { linkTo } from '../../route.js';
import { ReportChart } from './chart.js';
import { Downloads } from './downloads.js';
import { spanLabelOf } from './period.label.js';
import { PeriodTable } from './period.table.js';
import { units } from './periods.js';
import { isEmpty, sumOf } from './report.js';
import { MoneyNow, SpanSummary } from './summary.js';
import { type Report, useReport } from './use.report.js';

interface ReportsProps {
  unit: string | undefined;
  hasSeveralStores: boolean;
}

/** What the seller has sold, refunded and been paid, by days, weeks or months. */
export function Reports({ unit: name, hasSeveralStores }: ReportsProps) {
  const t = useReportTexts();
  const { loading } = useTranslations();
  const unit = units.find((each) => each === name) ?? 'days';
  const { data: report, error, reload } = useReport(unit);
  return (
    <div className="reports">
      <nav className="filters" aria-label={t.title}>
        {units.map((each) => (
          <a
            key={each}
            href={each === 'days' ? linkTo('panel', 'reports') : linkTo('panel', 'reports', each)}
            aria-current={each === unit ? 'page' : undefined}
          >
            {t.units[each].many}
          </a>
        ))}
      </nav>
      {report ? (
        <ReportParts report={report} hasSeveralStores={hasSeveralStores} />
      ) : error === undefined ? (
        <p className="quiet" role="status">
          {loading}
        </p>
      ) : (
        <LoadError error={error} retry={reload} />
      )}
    </div>
  );
}

function ReportParts({
  report: { span, periods, wallet },
  hasSeveralStores,
}: {
  report: Report;
  hasSeveralStores: boolean;
}) {
  const t = useReportTexts();
  const [from = 0] = span.times;
  const to = span.times.at(-1) ?? from;
  return (
    <>
      <section className="card" aria-label={t.span[span.unit]}>
        <h2>
          {t.span[span.unit]} <span className="report-dates">{spanLabelOf(from, to)}</span>
        </h2>
        <SpanSummary span={span} periods={periods} />
        {isEmpty(sumOf(periods)) ? (
          <EmptyState icon="seal">
            <p>{t.empty}</p>
          </EmptyState>
        ) : (
          <>
            <ReportChart unit={span.unit} periods={periods} />
            <PeriodTable unit={span.unit} periods={periods} />
          </>
        )}
        <p className="quiet">
          {t.counting} {hasSeveralStores && t.allStores}
        </p>
      </section>
      <div className="two">
        <MoneyNow wallet={wallet} />
        <Downloads {...{ periods, from, to }} />
      </div>
    </>
  );
}
