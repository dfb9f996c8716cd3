import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { unseen, unseenOf } from './bell.js';
import { BookPage } from './buyer/book.js';
import { CartPage } from './buyer/cart.js';
import { OrderPage } from './buyer/order.js';
import { OrdersPage } from './buyer/orders.js';
import { Shop } from './buyer/shop.js';
import { WalletPage } from './buyer/wallet.js';
import { Enter } from './enter.js';
import { Header } from './header.js';
import { LineNotice } from './line.js';
import { usePlace } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { useWords } from './words/words.js';

/** Buyers need not wait for what only sellers use. */
const Panel = lazy(async () => ({ default: (await import('./seller/panel.js')).Panel }));

export function App() {
  const words = useWords();
  const waiting = unseenOf(useStore(unseen)).length;
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ${words.hub}` : words.hub;
  }, [words, waiting]);
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        {words.skip}
      </button>
      <Header />
      <LineNotice />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<p className="quiet">{words.loading}</p>}>
          <Screen />
        </Suspense>
      </main>
      <footer className="foot">
        <a href="./docs">{words.docs}</a>
      </footer>
    </>
  );
}

function Screen() {
  const { steps, query } = usePlace();
  const who = useStore(session);
  const [screen, first, second] = steps;
  const known = (page: ReactNode) => (who ? <div key={who.userId}>{page}</div> : <Enter />);
  // A key where a page is of one thing: what was begun, or read, is of that and not of the next.
  if (screen === 'book' && first && second) {
    return <BookPage key={`${first}/${second}`} storeId={first} bookId={second} />;
  }
  if (screen === 'cart') return <CartPage />;
  if (screen === 'orders')
    return known(first ? <OrderPage key={first} orderId={first} /> : <OrdersPage query={query} />);
  if (screen === 'wallet') return known(<WalletPage />);
  if (screen === 'panel') return known(<Panel section={first} />);
  if (screen === 'enter') return <Enter />;
  const storeId = screen === 'store' ? first : undefined;
  return <Shop key={storeId ?? 'all'} storeId={storeId} query={query} />;
}
