import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';

const stage = hubAndBrowser();

test('who follows a link while what they typed is not searched for yet gets where the link leads', async () => {
  const seller = await stage.hub.seller([{ bookId: 'middlemarch', title: 'Middlemarch' }]);
  const { page } = await stage.visit();
  await page.locator('.book').waitFor();
  // The page is busy for a while, as it may be on a phone: the link, and after it the search, come due meanwhile.
  await page.evaluate(`
    const input = document.querySelector('input[type=search]');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, 'middle');
    input.dispatchEvent(new Event('input', { bubbles: true }));
    setTimeout(() => document.querySelector('.book a').click(), 200);
    setTimeout(() => { for (const until = Date.now() + 400; Date.now() < until; ); }, 100);
  `);
  await page.locator('.book-page h1').getByText('Middlemarch').waitFor();
  expect(page.url()).toBe(`${stage.hub.url}/#/book/${seller.storeId}/middlemarch`);
  await page.goBack();
  await page.locator('.book').waitFor();
  expect(page.url()).toBe(`${stage.hub.url}/#/`);
});
