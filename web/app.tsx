import { lazy, Suspense, useEffect } from 'react';
import { Shop } from './buyer/shop.js';
import { ConnectionNotice } from './connection.status.js';
import { Header } from './header.js';
import { useTranslations } from './i18n/language.js';
import { loadScreens } from './load.screens.js';
import { linkTo, useRoute } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { unseen, unseenOf } from './unseen.js';

const Screens = lazy(async () => ({ default: (await loadScreens()).Screens }));
/** Every other route is the shop's. */
const otherScreens = ['book', 'cart', 'orders', 'wallet', 'panel', 'account', 'login'];

export function App() {
  const t = useTranslations();
  const unseenCount = unseenOf(useStore(unseen)).length;
  const isLoggedIn = useStore(session) !== null;
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
        {isLoggedIn && <a href={linkTo('account')}>{t.account}</a>} <a href="./docs">{t.docs}</a>
      </footer>
    </>
  );
}

function Screen() {
  const { segments, query } = useRoute();
  const [screen, first, second] = segments;
  const isBook = screen === 'book' && first && second;
  if (screen !== undefined && otherScreens.includes(screen) && (screen !== 'book' || isBook)) return <Screens />;
  const storeId = screen === 'store' ? first : undefined;
  return <Shop key={storeId ?? 'all'} storeId={storeId} query={query} />;
}
