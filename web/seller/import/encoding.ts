/** The encodings in which shops save tables, by the labels of the Encoding Standard. */
export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'gb18030', 'big5', 'shift_jis', 'windows-1252'] as const;
export type Encoding = (typeof encodings)[number];

export interface DecodedText {
  text: string;
  encoding: Encoding;
}

/** Enough to judge by, however large the file is. */
const SAMPLE_BYTES = 262_144;
/** The share of common characters from which on a text counts as readable. */
const PLAUSIBLE = 0.7;
const MIN_ZERO_SHARE = 0.05;

/** Decodes a file: by its byte order mark, else as UTF-8 if it is valid, else in the encoding that gives the most plausible text. */
export function decodeFile(bytes: Uint8Array): DecodedText {
  const marked = byteOrderMark(bytes) ?? zeroByteEncoding(bytes);
  if (marked) return { text: decodeAs(bytes, marked), encoding: marked };
  const utf8 = tryDecode(bytes, 'utf-8');
  if (utf8 !== undefined) return { text: utf8, encoding: 'utf-8' };
  const ranked = eastAsian
    .map(({ encoding, isCommon }) => ({ encoding, score: commonShare(bytes, encoding, isCommon) }))
    .concat({ encoding: 'windows-1252', score: westernShare(bytes) })
    .filter(({ score }) => score >= PLAUSIBLE)
    .sort((one, other) => other.score - one.score);
  for (const { encoding } of ranked) {
    const text = tryDecode(bytes, encoding);
    if (text !== undefined) return { text, encoding };
  }
  return { text: decodeAs(bytes, 'windows-1252'), encoding: 'windows-1252' };
}

/** Decodes in a given encoding. What does not fit becomes U+FFFD, which no row may contain. */
export function decodeAs(bytes: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding).decode(bytes);
}

function tryDecode(bytes: Uint8Array, encoding: Encoding): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function byteOrderMark([first, second, third]: Uint8Array): Encoding | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

/** Separators, digits and line breaks of UTF-16 contain a zero byte, whatever the language. */
function zeroByteEncoding(bytes: Uint8Array): Encoding | undefined {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const zeros = [0, 0];
  sample.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (Math.max(even, odd) < sample.length * MIN_ZERO_SHARE) return undefined;
  if (odd > 4 * even) return 'utf-16le';
  return even > 4 * odd ? 'utf-16be' : undefined;
}

type IsCommon = (lead: number, trail: number) => boolean;

/**
 * Each of these character sets puts the characters of everyday use into a block of its own. Text decoded in a wrong encoding
 * spreads over the rare blocks.
 */
const eastAsian: { encoding: Encoding; isCommon: IsCommon }[] = [
  // GB 2312's punctuation and its 3,755 most used characters.
  {
    encoding: 'gb18030',
    isCommon: (lead, trail) => trail >= 0xa1 && (isIn(lead, 0xb0, 0xd7) || isIn(lead, 0xa1, 0xa3)),
  },
  // Big5's punctuation and its 5,401 most used characters.
  { encoding: 'big5', isCommon: (lead) => isIn(lead, 0xa1, 0xc6) },
  // Kana, punctuation and the 2,965 characters of JIS level 1.
  { encoding: 'shift_jis', isCommon: (lead) => isIn(lead, 0x81, 0x83) || isIn(lead, 0x88, 0x98) },
];

function isIn(byte: number, from: number, to: number): boolean {
  return byte >= from && byte <= to;
}

/** The share of a set's common characters in those that are not ASCII; 0 if the sample is not valid in the encoding. */
function commonShare(bytes: Uint8Array, encoding: Encoding, isCommon: IsCommon): number {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  try {
    // Streaming: the sample may end within a character.
    new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true });
  } catch {
    return 0;
  }
  let [common, all] = [0, 0];
  for (let at = 0; at < sample.length; at++) {
    const lead = sample[at] ?? 0;
    if (lead < 0x80) continue;
    all++;
    if (encoding === 'shift_jis' && isIn(lead, 0xa1, 0xdf)) continue; // Half-width kana take one byte and are rare.
    if (isCommon(lead, sample[++at] ?? 0)) common++;
  }
  return all === 0 ? 0 : common / all;
}

/** The share of accented letters next to a letter, and of typographic marks, in what is not ASCII. Runs of them are no words. */
function westernShare(bytes: Uint8Array): number {
  const text = decodeAs(bytes.subarray(0, SAMPLE_BYTES), 'windows-1252');
  const high = text.match(/[^\0-\x7f]+/g) ?? [];
  const all = high.reduce((sum, run) => sum + run.length, 0);
  const words =
    text.match(/(?<=[A-Za-z])[À-ÖØ-öø-ÿŠšŽžŒœŸ]{1,2}|[À-ÖØ-öø-ÿŠšŽžŒœŸ]{1,2}(?=[A-Za-z])|[€„“”‚‘’–—…§©®°£¥«»ºª]/g) ??
    [];
  const good = words.reduce((sum, run) => sum + run.length, 0);
  return all === 0 ? 0 : good / all;
}
