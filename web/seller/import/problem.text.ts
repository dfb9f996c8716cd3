import type { ImportTexts } from '../../i18n/en.import.js';
import { translations } from '../../i18n/language.js';
import type { RowProblem } from './row.parser.js';

/** The problems of a row in one line, in the user's language. */
export function describeProblems(problems: readonly RowProblem[], t: ImportTexts): string {
  return problems.map((problem) => describe(problem, t)).join('; ');
}

function describe({ path, code, text = '', line = 0 }: RowProblem, t: ImportTexts): string {
  if (code === 'rejected') return text;
  const subject = path === '' ? t.theRow : (t.fields[path as keyof typeof t.fields] ?? path);
  if (code === 'contract') return `${subject} ${translations().importing.problem(text)}`;
  return `${subject} ${code === 'sameBook' ? t.sameBook(line) : t.problems[code]}`;
}
