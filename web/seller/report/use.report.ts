import { useEffect } from 'react';
import type { Wallet } from '../../../src/contract/wallet.js';
import { type RequestState, useRequest } from '../../../src/react/use.request.js';
import { hubNow } from '../../clock.js';
import { request, subscribe } from '../../hub.js';
import { type Span, spanOf, type Unit } from './periods.js';
import { type Period, toPeriod } from './report.js';

/** While payments come in, the numbers follow at this pace. */
const RELOAD_AFTER_MS = 3_000;

export interface Report {
  span: Span;
  periods: Period[];
  wallet: Wallet;
}

/** The seller's periods and money, read again after money has moved. */
export function useReport(unit: Unit): RequestState<Report> {
  const { data, reload, ...state } = useRequest(`report ${unit}`, async () => {
    const span = spanOf(unit, hubNow());
    const [periods, wallet] = await Promise.all([periodsOf(span.times), request('wallet', {})]);
    return { span, periods, wallet };
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = subscribe('wallet', () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        reload();
      }, RELOAD_AFTER_MS);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [reload]);
  // That of the unit before is not shown under the name of this one.
  return { ...state, reload, data: data?.span.unit === unit ? data : undefined };
}

/** As much of the periods before. A report does without where it cannot be read. */
export function usePeriodBefore(unit: Unit): Period | undefined {
  const { data } = useRequest(`report before ${unit}`, async () => {
    const [period] = await periodsOf(spanOf(unit, hubNow()).before);
    return period && { unit, period };
  });
  return data?.unit === unit ? data.period : undefined;
}

async function periodsOf(times: readonly number[]): Promise<Period[]> {
  const isoTimes = times.map((time) => new Date(time).toISOString());
  return (await request('walletTotals', { times: isoTimes.join() })).periods.map(toPeriod);
}
