import { englishOrderPage } from './en.order.page.js';
import { useTopic } from './language.js';
import { chineseOrderPage } from './zh.order.page.js';

const texts = { en: englishOrderPage, zh: chineseOrderPage };

export function useOrderPageTexts(): typeof englishOrderPage {
  return useTopic(texts);
}
