import { useState } from 'react';
import type { BookView } from '../../src/contract/stores.js';

const CLOTHS = 8;
/** FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The seller's cover image, or a typeset cover whose cloth colour is derived from the title. */
export function Cover({ book }: { book: Pick<BookView, 'title' | 'author' | 'coverUrl'> }) {
  const { title, author, coverUrl } = book;
  const [brokenUrl, setBrokenUrl] = useState<string>();
  if (coverUrl && coverUrl !== brokenUrl) {
    return (
      <div className="cover">
        <img src={coverUrl} alt="" loading="lazy" onError={() => setBrokenUrl(coverUrl)} />
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
  for (const character of title) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), FNV_PRIME);
  return ((hash ^ (hash >>> 15)) >>> 0) % CLOTHS;
}
