/** What the shop's first screen needs of the contract. It loads before zod does, so no schema stands here. */

/** The most copies of a book in one order. */
export const COUNT_MAX = 1_000_000;

/** The fields that a search covers. */
export const searchFields = ['title', 'author', 'tags', 'summary'] as const;
export type SearchField = (typeof searchFields)[number];
