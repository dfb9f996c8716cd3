import type { Table, TableFormat } from './table.js';

/** The fields of a book that a column can fill. */
export const bookFields = [
  ...(['title', 'author', 'price', 'stock', 'isbn', 'publisher', 'tags', 'summary'] as const),
  ...(['coverUrl', 'lowMark', 'bookId', 'details'] as const),
] as const;
export type BookField = (typeof bookFields)[number];

/** What becomes of a column: a field of the book, a detail under the column's name, or nothing. */
export type ColumnTarget = BookField | 'detail' | 'none';

/** Column names by field, in any letter case, spacing and punctuation: English, Chinese, German, Japanese and French. */
const namesOf: Record<BookField, string> = {
  bookId:
    'id bookid handle urlhandle sku artikelnummer artikelnr 编号 書號 书号 商品编号 商品编码 編號 商品編號 商品コード',
  title: 'title name booktitle producttitle titel buchtitel 书名 标题 图书名称 商品名称 書名 標題 タイトル titre',
  author: 'author authors autor autoren autorin verfasser 作者 著者 著作者 auteur',
  price: `price unitprice saleprice variantprice preis preisineur verkaufspreis ladenpreis vk 价格 定价 售价 单价 價格 定價 售價 單價
    価格 定価 販売価格 prix`,
  stock: `stock quantity qty count copies inventory inventoryquantity instock variantinventoryqty anzahl menge bestand lagerbestand 库存 数量 库存数量
    庫存 數量 庫存數量 在庫 在庫数 quantité`,
  isbn: 'isbn isbn13 isbn10 isbnean ean barcode variantbarcode 条码 条形码 isbn号 国际标准书号 條碼 國際標準書號',
  publisher: 'publisher vendor verlag 出版社 出版者 éditeur',
  tags: 'tags tag keywords schlagwörter schlagworte 标签 標籤 タグ',
  summary:
    'summary description bodyhtml beschreibung inhalt zusammenfassung 简介 内容简介 簡介 內容簡介 内容紹介 résumé',
  coverUrl: 'coverurl cover coverimage image imageurl imagesrc productimageurl bild bildurl 封面 封面图 封面圖 表紙',
  lowMark: 'lowmark lowstockalert lowstockmark mindestbestand 告急线 库存预警',
  details: 'details otherdetails 其他 其他信息',
};

const fieldByName = new Map<string, BookField>(
  bookFields.flatMap((field) => namesOf[field].split(/\s+/).map((name): [string, BookField] => [name, field])),
);

/** Columns of known exports that say something about the book; their other unknown columns are about the shop or the reader. */
const detailColumns: Partial<Record<TableFormat, string>> = {
  shopify: 'type',
  goodreads: 'additionalauthors binding numberofpages yearpublished originalpublicationyear',
};
/** Of Goodreads' columns, those that a name alone would take for another field. */
const skippedColumns: Partial<Record<TableFormat, string>> = { goodreads: 'authorlf bookshelves owned copies' };
/** Columns that this importer adds to the rows to fix. */
const addedColumns = new Set(['whattofix', '需要修改的内容']);

/** `Variant Price`, `variant_price` and `VARIANT PRICE` are one name. */
export function columnKey(name: unknown): string {
  return String(name ?? '')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\(.*\)$/, (inBrackets) => (inBrackets === '(html)' ? 'html' : ''))
    .replace(/[\s_\-./:*'"]/g, '');
}

/** The field that a column names, undefined if it names none. Also with a note in brackets: `定价（元）`, `Price (EUR)`. */
export function fieldOfColumn(name: unknown): BookField | undefined {
  return fieldByName.get(columnKey(name));
}

export function formatOf(columns: readonly unknown[]): TableFormat {
  const keys = new Set(columns.map(columnKey));
  if (keys.has('handle') && (keys.has('variantprice') || keys.has('bodyhtml'))) return 'shopify';
  if (keys.has('bookid') && (keys.has('exclusiveshelf') || keys.has('bookshelves'))) return 'goodreads';
  return keys.size === 1 && fieldOfColumn(columns[0]) === 'isbn' ? 'isbns' : 'plain';
}

/** What each column of a table most likely is. The first column of a name fills the field; ISBNs may stand in two. */
export function mapColumns({ format, columns }: Pick<Table, 'format' | 'columns'>): ColumnTarget[] {
  const [details, skipped] = [wordsOf(detailColumns[format]), wordsOf(skippedColumns[format])];
  const used = new Set<BookField>();
  return columns.map((name) => {
    const key = columnKey(name);
    if (key === '' || addedColumns.has(key) || skipped.has(key)) return 'none';
    const field = fieldByName.get(key);
    if (field && (field === 'isbn' || !used.has(field))) {
      used.add(field);
      return field;
    }
    return format === 'plain' || format === 'isbns' || details.has(key) ? 'detail' : 'none';
  });
}

function wordsOf(list = ''): Set<string> {
  return new Set(list.split(' '));
}
