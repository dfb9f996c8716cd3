import { useStore } from '../store.js';
import { en, type ImportTexts } from './en.import.js';
import { type Language, language } from './language.js';
import { zh } from './zh.import.js';

const byLanguage: Record<Language, ImportTexts> = { en, zh };

/** The texts of the import, apart from the others because they load with the seller's panel. */
export function useImportTexts(): ImportTexts {
  return byLanguage[useStore(language)];
}
