import type { BookView } from '../../src/contract/stores.js';
import { useTranslations } from '../i18n/language.js';

/** Whether a book can be had; the number only where few are left. */
export function Stock({ book: { stock, lowMark } }: { book: BookView }) {
  const t = useTranslations().shop;
  if (stock === 0) return <span className="sold-out">{t.soldOut}</span>;
  if (stock <= lowMark) return <span className="few">{t.left(stock)}</span>;
  return <span className="quiet">{t.inStock}</span>;
}
