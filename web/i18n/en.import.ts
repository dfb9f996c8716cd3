import type { BookField, ColumnTarget } from '../seller/import/columns.js';
import type { Encoding } from '../seller/import/encoding.js';
import type { RowProblem } from '../seller/import/row.parser.js';
import type { TableFormat } from '../seller/import/table.js';

const number = new Intl.NumberFormat('en');
const plural = (count: number, one: string, many: string) => `${number.format(count)} ${count === 1 ? one : many}`;
const books = (count: number) => plural(count, 'book', 'books');

const fields: Record<BookField, string> = {
  title: 'Title',
  author: 'Author',
  price: 'Price',
  stock: 'Stock',
  isbn: 'ISBN',
  publisher: 'Publisher',
  tags: 'Tags',
  summary: 'Summary',
  coverUrl: 'Cover image',
  lowMark: 'Low-stock alert',
  bookId: 'Book ID',
  details: 'Details, one per line',
};
const targets: Record<Exclude<ColumnTarget, BookField>, string> = { detail: 'Other detail', none: 'Leave out' };
const formats: Record<TableFormat, string | undefined> = {
  shopify: 'Shopify product export',
  goodreads: 'Goodreads library export',
  isbns: 'List of ISBNs',
  plain: undefined,
};
const encodings: Record<Encoding, string> = {
  'utf-8': 'Unicode (UTF-8)',
  'utf-16le': 'Unicode (UTF-16)',
  'utf-16be': 'Unicode (UTF-16, big-endian)',
  gb18030: 'Chinese, simplified (GB 18030)',
  big5: 'Chinese, traditional (Big5)',
  shift_jis: 'Japanese (Shift JIS)',
  'windows-1252': 'Western European (Windows-1252)',
};
const problems: Record<Exclude<RowProblem['code'], 'sameBook' | 'contract' | 'rejected'>, string> = {
  tooManyCells: 'has more cells than there are columns; put a value that contains the separator in quotes',
  openQuote: 'has a quotation mark that is not closed properly',
  notObject: 'is not a book',
  unreadable: 'has characters that cannot be read; try another encoding',
  notPrice: 'must be an amount such as 45.00',
  notNumber: 'must be a whole number',
  missing: 'is missing',
  roundedIsbn: 'has lost its digits in the spreadsheet; format the column as text and save it again',
  changedMeanwhile: 'was added by somebody else meanwhile; compare again',
};

export const en = {
  number: (value: number) => number.format(value),
  title: 'Import books',
  intro:
    'From Excel, LibreOffice, Shopify or Goodreads, a list of ISBNs, or JSON. You’ll see what changes before anything is saved.',
  file: 'Choose a file',
  drop: 'or drop it here',
  paste: 'Paste a table instead',
  pasted: 'Pasted table',
  pasteLabel: 'Table',
  workbook: 'This is an Excel workbook. In Excel, choose File › Save As › CSV UTF-8, then choose that file.',
  tooLarge: (megabytes: number) => `This file is too large. Import up to ${megabytes} MB at a time.`,
  unreadableFile: 'The file couldn’t be read. Choose it again.',
  badJson: 'This isn’t a JSON array of books.',
  empty: 'There are no rows below the header.',
  rows: (count: number) => plural(count, 'row', 'rows'),
  another: 'Choose another file',
  encoding: 'Encoding',
  encodings,
  separator: 'Separator',
  separators: { ',': 'Comma', ';': 'Semicolon', '\t': 'Tab', '|': 'Vertical bar', '，': 'Full-width comma' } as Record<
    string,
    string
  >,
  formats,
  preview: 'Columns',
  previewHint: 'Check what each column becomes. These are the first rows.',
  previewRegion: 'First rows of the table',
  becomes: (column: string) => `“${column}” becomes`,
  unnamed: (position: number) => `Column ${position}`,
  fields,
  targets,
  showLeftOut: (count: number) => `Show ${plural(count, 'column', 'columns')} left out`,
  hideLeftOut: 'Hide columns left out',
  defaultPrice: 'Price if a new book has none',
  defaultStock: 'Stock if a new book has none',
  badDefault: 'Enter an amount such as 25 or 25.50',
  foreignMoney: (marks: string, currency: string) =>
    `Some prices are marked ${marks}. They are read as ${currency}; nothing is converted.`,
  comparing: 'Comparing with your products…',
  changes: 'What will change',
  counts: {
    changed: (count: number) => `${number.format(count)} updated`,
    new: (count: number) => `${number.format(count)} new`,
    unchanged: (count: number) => `${number.format(count)} unchanged`,
    toFix: (count: number) => `${number.format(count)} to fix`,
    leftOut: (count: number) => `${number.format(count)} not for sale, left out`,
  },
  allUnchanged: 'Your products already match this table.',
  newBook: 'New',
  copies: (stock: number) => `${number.format(stock)} in stock`,
  shownOf: (shown: number, all: number) => `The first ${number.format(shown)} of ${number.format(all)}`,
  none: 'none',
  start: (count: number) => (count === 0 ? 'Import books' : `Import ${books(count)}`),
  running: (file: string) => `Importing ${file}`,
  progress: (done: number, total: number) => `${number.format(done)} of ${number.format(total)}`,
  stop: 'Stop',
  goOn: 'Continue',
  stopped: (done: number, total: number) => `Stopped after ${number.format(done)} of ${plural(total, 'row', 'rows')}.`,
  interrupted: (file: string, done: number, total: number) =>
    `The import of ${file} was interrupted after ${number.format(done)} of ${plural(total, 'row', 'rows')}. Choose the file again: finished rows count as unchanged.`,
  result: (added: number, updated: number, toFix: number) => {
    const parts = [
      ...(added > 0 || updated === 0 ? [`${books(added)} added`] : []),
      ...(updated > 0 ? [`${number.format(updated)} updated`] : []),
      ...(toFix > 0 ? [`${plural(toFix, 'row', 'rows')} to fix`] : []),
    ];
    return `${parts.join(', ')}.`;
  },
  undo: 'Undo import',
  confirmUndo: 'Yes, undo',
  keep: 'Keep changes',
  undoing: 'Undoing the import',
  undone: (undone: number, kept: number) =>
    `Import undone: ${books(undone)} restored.${kept === 0 ? '' : ` ${books(kept)} kept values that were changed since or can’t be emptied.`}`,
  dismiss: 'Done',
  discard: 'Discard the rest',
  open: 'Open import',
  toFix: 'Rows to fix',
  line: 'Line',
  problemHead: 'What to fix',
  download: 'Download rows to fix (CSV)',
  downloadName: 'rows to fix.csv',
  problems,
  sameBook: (line: number) => `is the same book as line ${number.format(line)}`,
  theRow: 'The row',
};

export type ImportTexts = typeof en;
