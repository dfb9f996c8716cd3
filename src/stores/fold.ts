/** How texts are compared in a search: without regard to letter case and to full or half width. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().toUpperCase();
}

/** The words of a folded text. Chinese is not parted into words by anyone: a run of it is one. */
export function wordsOf(folded: string): string[] {
  return folded.split(/\s+/u).filter((word) => word !== '');
}

export const GRAM_CHARACTERS = 3;

/**
 * What the index holds of a folded text: from each place in each word the next three characters, fewer at its end. So a
 * part of a word that has three characters or more is found by its runs of three, and a shorter one as the beginning of a gram.
 */
export function gramsOf(folded: string): Set<string> {
  const grams = new Set<string>();
  for (const word of wordsOf(folded)) {
    const characters = [...word];
    for (let at = 0; at < characters.length; at++) grams.add(characters.slice(at, at + GRAM_CHARACTERS).join(''));
  }
  return grams;
}

/** The runs of exactly three characters in a word that is searched for. */
export function wholeGramsOf(word: string): string[] {
  return [...gramsOf(word)].filter((gram) => [...gram].length === GRAM_CHARACTERS);
}
