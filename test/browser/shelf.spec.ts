import { expect, test } from '@jest/globals';
import { hubAndBrowser } from '../support/browser.js';

const stage = hubAndBrowser();

test('everything that the hub lets an owner change of a book can be changed on the shelf, and nothing else changes', async () => {
  const seller = await stage.hub.seller([]);
  const book = { bookId: 'three-body', title: 'Three Body', author: 'Liu', price: 2_300, stock: 6, tags: ['old'] };
  const details = { edition: '007', pages: 300, signed: true, note: 'two\nlines' };
  await seller.post(`/stores/${seller.storeId}/books`, { ...book, details });
  const visitor = await stage.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/shelf');
  await visitor.page.getByRole('button', { name: 'Change Three Body' }).click();
  const form = visitor.page.locator('.shelf .book-form');
  const fill = (label: string, text: string) => form.getByLabel(label, { exact: true }).fill(text);

  await fill('Author', '刘慈欣');
  await fill('Publisher', '重庆出版社');
  await fill('ISBN', '9787536692930');
  await fill('Tags, with commas', '科幻，classics');
  await fill('Cover (an https address)', '/covers/three-body.jpg');
  await fill('Summary', 'An answer comes\nfrom the stars.');
  const written = await form.getByLabel('Anything else').inputValue();
  expect(written.split('\n')).toEqual(['edition: 007', 'pages: 300', 'signed: true', 'note: two↵lines']);
  await fill('Anything else', `${written.replace('300', '302')}\ntranslator: Ken Liu`);
  await fill('Add to stock (or take, with a minus)', '4');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Saved.').waitFor();

  const { body } = await seller.get(`/stores/${seller.storeId}/books/three-body`);
  expect(body).toEqual({
    ...{ ...book, storeId: seller.storeId, lowMark: 5, stock: 10, author: '刘慈欣', publisher: '重庆出版社' },
    ...{ isbn: '9787536692930', tags: ['科幻', 'classics'], coverUrl: '/covers/three-body.jpg' },
    summary: 'An answer comes\nfrom the stars.',
    details: { ...details, pages: 302, translator: 'Ken Liu' },
  });

  // What came is on the shelf: saving something else does not add it again.
  expect(await form.getByLabel('Add to stock (or take, with a minus)').inputValue()).toBe('0');
  await fill('Tags, with commas', '');
  await fill('Anything else', '');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Saved.').waitFor();
  await visitor.page.reload();
  await visitor.page.getByRole('button', { name: 'Change Three Body' }).click();
  expect(await form.getByLabel('Tags, with commas').inputValue()).toBe('');
  expect(await form.getByLabel('Anything else').inputValue()).toBe('');
  expect(await form.getByLabel('Author', { exact: true }).inputValue()).toBe('刘慈欣');
  // What was refused leaves the form as it is, for another try.
  for (const [copies, told] of [
    ['-100', 'There are not enough copies left.'],
    ['-4', 'Saved.'],
  ] as const) {
    await fill('Add to stock (or take, with a minus)', copies);
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText(told).waitFor();
  }
  expect(visitor.complaints).toEqual([]);
  expect((await seller.get<{ stock: number }>(`/stores/${seller.storeId}/books/three-body`)).body.stock).toBe(6);
});
