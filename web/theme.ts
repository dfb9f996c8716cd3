import { keptStore } from './store.js';

export type Theme = 'system' | 'light' | 'dark';
export const theme = keptStore<Theme>('theme', 'system');

function tell(): void {
  document.documentElement.dataset.theme = theme.get();
}
tell();
theme.subscribe(tell);
