import { persistedStore } from './store.js';

export type Theme = 'system' | 'light' | 'dark';
export const theme = persistedStore<Theme>('theme', 'system');

function applyTheme(): void {
  document.documentElement.dataset.theme = theme.get();
}
applyTheme();
theme.subscribe(applyTheme);
