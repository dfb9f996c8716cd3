import { expect, test } from '@jest/globals';
import { startTestHub } from 'order-hub/testing';

test('an order whose answer is lost with the connection is placed once', async () => {
  const hub = await startTestHub();
  const seller = await hub.api('mei');
  await seller.call('openStore', { storeId: 'corner-books' });
  await seller.call('addBook', { storeId: 'corner-books', bookId: 'one', title: 'One', price: 100, stock: 1 });
  const buyer = await hub.connect('lin');
  await hub.faults.cutAfterCommit('lin', 'order:place');
  const { orderId } = await buyer.place({ storeId: 'corner-books', items: [{ bookId: 'one', count: 1 }] });
  expect((await buyer.list({ role: 'buyer' })).items).toMatchObject([{ orderId }]);
  await hub.stop();
});
