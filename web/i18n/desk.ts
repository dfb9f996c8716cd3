import { englishDesk } from './en.desk.js';
import { useTopic } from './language.js';
import { chineseDesk } from './zh.desk.js';

const texts = { en: englishDesk, zh: chineseDesk };

export function useDeskTexts(): typeof englishDesk {
  return useTopic(texts);
}
