import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { unseen, unseenOf } from './bell.js';
import { BookPage } from './buyer/book.js';
import { CartPage } from './buyer/cart.js';
import { OrderPage } from './buyer/order.js';
import { OrdersPage } from './buyer/orders.js';
import { Shop } from './buyer/shop.js';
import { WalletPage } from './buyer/wallet.js';
import { ConnectionNotice } from './connection.status.js';
import { Header } from './header.js';
import { useTranslations } from './i18n/language.js';
import { Login } from './login.js';
import { useRoute } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';

/** Loaded on demand: buyers do not need the seller's screens. */
const Panel = lazy(async () => ({ default: (await import('./seller/panel.js')).Panel }));

export function App() {
  const t = useTranslations();
  const unseenCount = unseenOf(useStore(unseen)).length;
  useEffect(() => {
    document.title = unseenCount > 0 ? `(${unseenCount}) ${t.appName}` : t.appName;
  }, [t, unseenCount]);
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        {t.skip}
      </button>
      <Header />
      <ConnectionNotice />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<p className="quiet">{t.loading}</p>}>
          <Screen />
        </Suspense>
      </main>
      <footer className="foot">
        <a href="./docs">{t.docs}</a>
      </footer>
    </>
  );
}

function Screen() {
  const { segments, query } = useRoute();
  const user = useStore(session);
  const [screen, first, second] = segments;
  // The keys reset a page's state and data when it shows another user, book, order or store.
  const requireLogin = (page: ReactNode) => (user ? <div key={user.userId}>{page}</div> : <Login />);
  if (screen === 'book' && first && second) {
    return <BookPage key={`${first}/${second}`} storeId={first} bookId={second} />;
  }
  if (screen === 'cart') return <CartPage />;
  if (screen === 'orders')
    return requireLogin(first ? <OrderPage key={first} orderId={first} /> : <OrdersPage query={query} />);
  if (screen === 'wallet') return requireLogin(<WalletPage />);
  if (screen === 'panel') return requireLogin(<Panel section={first} />);
  if (screen === 'login') return <Login />;
  const storeId = screen === 'store' ? first : undefined;
  return <Shop key={storeId ?? 'all'} storeId={storeId} query={query} />;
}
