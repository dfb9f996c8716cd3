import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestHub } from 'order-hub/testing';

test('an unpaid order expires after a quarter of an hour', async () => {
  const hub = await startTestHub();
  const seller = await hub.api('mei');
  await seller.call('openStore', { storeId: 'corner-books' });
  await seller.call('addBook', { storeId: 'corner-books', bookId: 'one', title: 'One', price: 100, stock: 1 });
  const buyer = await hub.connect('lin');
  const { orderId } = await buyer.place({ storeId: 'corner-books', items: [{ bookId: 'one', count: 1 }] });
  await hub.clock.advance(15 * 60_000);
  assert.equal((await buyer.get(orderId)).cancelReason, 'expired');
  await hub.stop();
});
