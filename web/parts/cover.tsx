import { useState } from 'react';
import type { BookView } from '../../src/contract/stores.js';

const COVER_CLOTHS = 8;
/** The hash is FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

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
  let hash = FNV_BASIS;
  for (const letter of title) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), FNV_PRIME);
  return ((hash ^ (hash >>> 15)) >>> 0) % COVER_CLOTHS;
}
