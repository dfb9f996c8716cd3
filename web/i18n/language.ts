import type { ErrorCode } from '../../src/contract/errors.js';
import { formatTime } from '../clock.js';
import { persistedStore, useStore } from '../store.js';
import { en, type Translations } from './en.js';
import { zh } from './zh.js';

export type Language = 'en' | 'zh';
const byLanguage: Record<Language, Translations> = { en, zh };

/** The browser's language until the user chooses one. */
export const language = persistedStore<Language>('language', navigator.language.startsWith('zh') ? 'zh' : 'en');

function applyLanguage(): void {
  document.documentElement.lang = language.get() === 'zh' ? 'zh-CN' : 'en';
}
applyLanguage();
language.subscribe(applyLanguage);

export function useTranslations(): Translations {
  return byLanguage[useStore(language)];
}

/** The current translations, for code outside of components. */
export function translations(): Translations {
  return byLanguage[language.get()];
}

/** The text of an error: translated by its code, or its own message. */
export function errorText(error: unknown): string {
  const { code, message, details } = (error ?? {}) as { code?: ErrorCode; message?: string; details?: unknown };
  if (code === 'CLAIMED') {
    const { by, until } = details as { by: string; until: string };
    return translations().acting.claimed(by, formatTime(until));
  }
  return (code && translations().errorTexts[code]) ?? message ?? translations().unknownError;
}

/** The texts of one topic, which load together with the screens that show them. */
export function useTopic<Texts>(texts: Record<Language, Texts>): Texts {
  return texts[useStore(language)];
}
