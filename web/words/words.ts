import type { RefusalCode } from '../../src/contract/errors.js';
import { keptStore, useStore } from '../store.js';
import { en, type Words } from './en.js';
import { zh } from './zh.js';

export type Language = 'en' | 'zh';
const all: Record<Language, Words> = { en, zh };

/** As the browser prefers, until the person chooses. */
export const language = keptStore<Language>('language', navigator.language.startsWith('zh') ? 'zh' : 'en');

function tell(): void {
  document.documentElement.lang = language.get() === 'zh' ? 'zh-CN' : 'en';
}
tell();
language.subscribe(tell);

export function useWords(): Words {
  return all[useStore(language)];
}

/** The words now, for what is not on the page: its title, a notification. */
export function words(): Words {
  return all[language.get()];
}

/** What a person is told when something was refused or broke. */
export function wordsFor(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: RefusalCode; message?: string };
  return (code && words().refusals[code]) ?? message ?? words().failed;
}
