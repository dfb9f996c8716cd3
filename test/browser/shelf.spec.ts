import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';

const fixture = hubAndBrowser();

test('the shelf form edits every changeable field of a book and keeps the others', async () => {
  const seller = await fixture.hub.seller([]);
  const book = { bookId: 'three-body', title: 'Three Body', author: 'Liu', price: 2_300, stock: 6, tags: ['old'] };
  const details = { edition: '007', pages: 300, signed: true, note: 'two\nlines' };
  await seller.post(`/stores/${seller.storeId}/books`, { ...book, details });
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/shelf');
  await visitor.page.getByRole('button', { name: 'Edit Three Body' }).click();
  const form = visitor.page.locator('.shelf .book-form');
  const fill = (label: string, text: string) => form.getByLabel(label, { exact: true }).fill(text);

  await fill('Author', '刘慈欣');
  await fill('Publisher', '重庆出版社');
  await fill('ISBN', '9787536692930');
  await fill('Tags, separated by commas', '科幻，classics');
  await fill('Cover image (https URL)', '/covers/three-body.jpg');
  await fill('Summary', 'An answer comes\nfrom the stars.');
  const detailsText = await form.getByLabel('Other details').inputValue();
  expect(detailsText.split('\n')).toEqual(['edition: 007', 'pages: 300', 'signed: true', 'note: two↵lines']);
  await fill('Other details', `${detailsText.replace('300', '302')}\ntranslator: Ken Liu`);
  await fill('Adjust stock (negative to remove)', '4');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Saved.').waitFor();

  const { body } = await seller.get(`/stores/${seller.storeId}/books/three-body`);
  expect(body).toEqual({
    ...{
      ...book,
      storeId: seller.storeId,
      lowMark: 5,
      stock: 10,
      listed: true,
      author: '刘慈欣',
      publisher: '重庆出版社',
    },
    ...{ isbn: '9787536692930', tags: ['科幻', 'classics'], coverUrl: '/covers/three-body.jpg' },
    summary: 'An answer comes\nfrom the stars.',
    details: { ...details, pages: 302, translator: 'Ken Liu' },
  });

  // The restock field is reset: a second save must not add the copies again.
  expect(await form.getByLabel('Adjust stock (negative to remove)').inputValue()).toBe('0');
  await fill('Tags, separated by commas', '');
  await fill('Other details', '');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Saved.').waitFor();
  await visitor.page.reload();
  await visitor.page.getByRole('button', { name: 'Edit Three Body' }).click();
  expect(await form.getByLabel('Tags, separated by commas').inputValue()).toBe('');
  expect(await form.getByLabel('Other details').inputValue()).toBe('');
  expect(await form.getByLabel('Author', { exact: true }).inputValue()).toBe('刘慈欣');
  // A rejected change keeps the form's input.
  for (const [copies, message] of [
    ['-100', 'There are not enough copies in stock.'],
    ['-4', 'Saved.'],
  ] as const) {
    await fill('Adjust stock (negative to remove)', copies);
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText(message).waitFor();
  }
  expect(visitor.complaints).toEqual([]);
  expect((await seller.get<{ stock: number }>(`/stores/${seller.storeId}/books/three-body`)).body.stock).toBe(6);
});
