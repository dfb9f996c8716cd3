import { englishReports } from './en.reports.js';
import { useTopic } from './language.js';
import { chineseReports } from './zh.reports.js';

const texts = { en: englishReports, zh: chineseReports };

export function useReportTexts(): typeof englishReports {
  return useTopic(texts);
}
