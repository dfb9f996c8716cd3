import { useState } from 'react';
import type { BookView } from '../../src/contract/stores.js';

/** Of 32 bits, the highest that are left: one of eight cloths. */
const ALL_BUT_THREE_BITS = 29;
const GOLDEN_RATIO_OF_32_BITS = 0x9e3779b1;

/** The cover that the seller gave, or one set in type: the same book always has the same cloth. */
export function Cover({ book }: { book: Pick<BookView, 'title' | 'author' | 'coverUrl'> }) {
  const { title, author, coverUrl } = book;
  const [broken, setBroken] = useState<string>();
  if (coverUrl && coverUrl !== broken) {
    return (
      <div className="cover">
        <img src={coverUrl} alt="" loading="lazy" onError={() => setBroken(coverUrl)} />
      </div>
    );
  }
  const length = [...title].length;
  return (
    <div className={`cover cloth-${clothOf(title)}`} aria-hidden="true">
      <span className={length > 24 ? 'cover-title long' : 'cover-title'}>{title}</span>
      <span className="cover-author">{author}</span>
    </div>
  );
}

function clothOf(title: string): number {
  let sum = 0;
  for (const letter of title) sum = (sum * 33 + (letter.codePointAt(0) ?? 0)) % 65_521;
  // Short titles differ in their lowest bits only; this carries every bit up to the highest.
  return Math.imul(sum, GOLDEN_RATIO_OF_32_BITS) >>> ALL_BUT_THREE_BITS;
}
