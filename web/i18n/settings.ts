import { englishSettings } from './en.settings.js';
import { useTopic } from './language.js';
import { chineseSettings } from './zh.settings.js';

const texts = { en: englishSettings, zh: chineseSettings };

export function useSettingsTexts(): typeof englishSettings {
  return useTopic(texts);
}
