import './zod.config.js';
import { lazy, type ReactNode, Suspense } from 'react';
import { HubContext } from '../src/react/hub.provider.js';
import { startBell } from './bell.js';
import { BookPage } from './buyer/book.js';
import { CartPage } from './buyer/cart.js';
import { OrdersPage } from './buyer/orders.js';
import { WalletPage } from './buyer/wallet.js';
import { source, startConnection } from './hub.js';
import { useTranslations } from './i18n/language.js';
import { Login } from './login.js';
import { startMissedSales } from './note.missed.js';
import { persistently, screenOf } from './persistently.js';
import { useRoute } from './route.js';
import { identityOf, session, workFor } from './session.js';
import { useStore } from './store.js';

export { logOut } from './hub.js';

const loadOrderPage = () => import('./buyer/order.js');
const OrderPage = lazy(async () => ({ default: (await screenOf(loadOrderPage)).OrderPage }));
/** Loaded on demand: buyers do not need the seller's screens. */
const Panel = lazy(async () => ({ default: (await screenOf(() => import('./seller/panel.js'))).Panel }));
const AccountPage = lazy(async () => {
  return { default: (await screenOf(() => import('./seller/settings/account.page.js'))).AccountPage };
});

const PushSwitch = lazy(async () => {
  return { default: (await persistently(() => import('./components/push.switch.js'))).PushSwitch };
});

startConnection();
startBell();
startMissedSales();
/** Ready before an order is placed, also if the connection is lost meanwhile. */
function preloadOrderPage(): void {
  if (session.get()) loadOrderPage().catch(() => undefined);
}
session.subscribe(preloadOrderPage);
preloadOrderPage();

/** The screen of the current route. */
export function Screens() {
  return (
    <HubContext.Provider value={source}>
      <Screen />
    </HubContext.Provider>
  );
}

function Screen() {
  const { segments, query } = useRoute();
  const user = useStore(session);
  const [screen, first, second] = segments;
  // The keys reset a page's state and data when it shows another user, book, order or store.
  const requireLogin = (page: ReactNode) => (user ? <div key={identityOf(user)}>{page}</div> : <Login />);
  const isOwn = screen === 'cart' || screen === 'wallet' || (screen === 'orders' && !first);
  if (isOwn && user?.for !== undefined) return <ActingNotice ownerId={user.for} />;
  if (screen === 'book' && first && second) {
    return <BookPage key={`${first}/${second}`} storeId={first} bookId={second} />;
  }
  if (screen === 'cart') return <CartPage />;
  if (screen === 'orders')
    return requireLogin(first ? <OrderPage key={first} orderId={first} /> : <Orders query={query} />);
  if (screen === 'wallet') return requireLogin(<WalletPage />);
  if (screen === 'panel') return requireLogin(<Panel section={first} item={second} />);
  if (screen === 'account') return requireLogin(<AccountPage />);
  return <Login />;
}

/** In place of what is the user's alone, while the user works for a seller. */
function ActingNotice({ ownerId }: { ownerId: string }) {
  const t = useTranslations().acting;
  return (
    <section className="card acting-notice">
      <h1>{t.user(session.get()?.userId ?? '', ownerId)}</h1>
      <p>{t.notice(ownerId)}</p>
      <button type="button" onClick={() => workFor(undefined)}>
        {t.stop}
      </button>
    </section>
  );
}

function Orders({ query }: { query: URLSearchParams }) {
  return (
    <>
      <OrdersPage query={query} />
      <Suspense>
        <PushSwitch />
      </Suspense>
    </>
  );
}
