import { columnKey } from './columns.js';
import type { Table, TableRow } from './table.js';

/** The option of a product without variants, as Shopify writes it. */
const NO_OPTION = 'Default Title';
const OPTIONS = ['option1value', 'option2value', 'option3value'];
/** What the rows of a product share with its first row. */
const SHARED = ['title', 'vendor', 'bodyhtml', 'tags', 'type', 'imagesrc'];

/**
 * Makes one row of each variant of Shopify's product export: there, only a product's first row has the description, and further
 * rows are variants or pictures. Drafts and archived products are left out, for they are not for sale. Other tables stay as they are.
 */
export function expandShopify(table: Table): Table {
  if (table.format !== 'shopify') return table;
  const positions = new Map(table.columns.map((name, index) => [columnKey(name), index]));
  const cellOf = (row: TableRow, key: string) => String(row.cells[positions.get(key) ?? -1] ?? '');
  const products = new Map<string, TableRow[]>();
  for (const row of table.rows) {
    const handle = cellOf(row, 'handle');
    products.set(handle, [...(products.get(handle) ?? []), row]);
  }
  let leftOut = 0;
  const rows = [...products.values()].flatMap((product) => {
    const variants = product.filter((row) => isVariant(row, cellOf, product));
    const [first] = product;
    if (!first || !isForSale(first, cellOf)) {
      leftOut += variants.length;
      return [];
    }
    return variants.map((row) => expand(row, first, variants.length > 1));
  });
  return { ...table, rows, leftOut };

  function expand(row: TableRow, first: TableRow, hasSiblings: boolean): TableRow {
    const cells = [...row.cells];
    const set = (key: string, value: string) => {
      const position = positions.get(key);
      if (position !== undefined) cells[position] = value;
    };
    for (const key of SHARED) set(key, cellOf(row, key) || cellOf(first, key));
    set('bodyhtml', textOfHtml(cellOf(first, 'bodyhtml')));
    const options = OPTIONS.map((key) => cellOf(row, key)).filter((value) => value !== '' && value !== NO_OPTION);
    if (hasSiblings && options.length > 0) {
      set('handle', `${cellOf(row, 'handle')}-${slug(options.join(' '))}`);
      set('title', `${cellOf(first, 'title')} (${options.join(', ')})`);
    }
    return { ...row, cells };
  }
}

type CellOf = (row: TableRow, key: string) => string;

/** A row with a picture only continues the product above it. A row that is wrong is kept, to be reported. */
function isVariant(row: TableRow, cellOf: CellOf, [first]: TableRow[]): boolean {
  return (
    row === first || row.shape !== undefined || cellOf(row, 'variantprice') !== '' || cellOf(row, 'option1value') !== ''
  );
}

function isForSale(row: TableRow, cellOf: CellOf): boolean {
  const status = cellOf(row, 'status').toLowerCase();
  return status !== 'draft' && status !== 'archived' && cellOf(row, 'published').toLowerCase() !== 'false';
}

/** Letters and digits of any script, the rest as single hyphens. */
export function slug(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', ndash: '–', mdash: '—', hellip: '…' },
  ...{ lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bdquo: '„', laquo: '«', raquo: '»', copy: '©', reg: '®' },
  ...{
    auml: 'ä',
    ouml: 'ö',
    uuml: 'ü',
    Auml: 'Ä',
    Ouml: 'Ö',
    Uuml: 'Ü',
    szlig: 'ß',
    eacute: 'é',
    egrave: 'è',
    euro: '€',
  },
};

/** The text of a description in HTML. It is shown as text, so what is left of any markup is harmless. */
export function textOfHtml(html: string): string {
  return html
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, '')
    .replace(/\s+/g, ' ')
    .replace(/<\/(p|div|h\d|tr|ul|ol)>|<br\s*\/?>/gi, '\n')
    .replace(/<li\b[^<>]*>/gi, '\n• ')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/&(#x?[\da-f]+|[a-z]+);/gi, (entity, name: string) => characterOf(name) ?? entity)
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function characterOf(name: string): string | undefined {
  if (!name.startsWith('#')) return ENTITIES[name];
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
