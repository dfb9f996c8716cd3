/** Case-folds a text, and unifies full-width and half-width characters. Searches compare normalized texts. */
export function normalizeForSearch(text: string): string {
  return text.normalize('NFKC').toLowerCase().toUpperCase();
}

/** An ISBN without hyphens and spaces; undefined for any other text. */
export function plainIsbn(text: string): string | undefined {
  const plain = normalizeForSearch(text)
    .replace(/^\s*ISBN:?/u, '')
    .replace(/[\p{Pd}\s]/gu, '');
  return /^(\d{9}[\dX]|\d{13})$/.test(plain) ? plain : undefined;
}

/** The words of a normalized text. A run of Chinese is one word: it has no spaces. */
export function wordsOf(normalized: string): string[] {
  return normalized.split(/\s+/u).filter((word) => word !== '');
}

export const GRAM_CHARACTERS = 3;

/**
 * The index entries of a normalized text: the trigram from each position in each word, shorter at its end. So a part of a word
 * with three characters or more is found by its trigrams, and a shorter one as a prefix of an entry.
 */
export function gramsOf(normalized: string): Set<string> {
  const grams = new Set<string>();
  for (const word of wordsOf(normalized)) {
    const characters = [...word];
    for (let at = 0; at < characters.length; at++) grams.add(characters.slice(at, at + GRAM_CHARACTERS).join(''));
  }
  return grams;
}

/** The full trigrams of a search word. */
export function trigramsOf(word: string): string[] {
  return [...gramsOf(word)].filter((gram) => [...gram].length === GRAM_CHARACTERS);
}
