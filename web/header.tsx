import { cart, countOf } from './cart.js';
import { Icon } from './components/icon.js';
import { ConnectionBadge } from './connection.status.js';
import { type Language, language, useTranslations } from './i18n/language.js';
import { loadScreens } from './load.screens.js';
import { linkTo, useLoginLink, useRoute } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { type Theme, theme } from './theme.js';
import { unseen, unseenOf } from './unseen.js';

async function logOut(): Promise<void> {
  const { logOut: end } = await loadScreens();
  await end();
}

const screens = ['shop', 'cart', 'orders', 'wallet', 'panel'] as const;

export function Header() {
  const t = useTranslations();
  const user = useStore(session);
  const loginLink = useLoginLink();
  return (
    <header className="top">
      <a className="brand" href={linkTo()} aria-label={t.appName}>
        <Icon name="seal" />
        <span>{t.appName}</span>
      </a>
      <Navigation />
      <div className="tools">
        <ConnectionBadge />
        <Preferences />
        {user ? (
          <>
            <UserName userId={user.userId} ownerId={user.for} />
            <button type="button" className="quiet-button" onClick={logOut}>
              {t.login.logOut}
            </button>
          </>
        ) : (
          <a className="button small" href={loginLink}>
            {t.login.logIn}
          </a>
        )}
      </div>
    </header>
  );
}

function Navigation() {
  const t = useTranslations();
  const { segments } = useRoute();
  const counts = { cart: countOf(useStore(cart)), panel: unseenOf(useStore(unseen)).length };
  const [screen = 'shop'] = segments;
  const current = screen === 'book' || screen === 'store' ? 'shop' : screen;
  return (
    <nav className="screens" aria-label={t.screens.main}>
      {screens.map((name) => (
        <a
          key={name}
          href={name === 'shop' ? linkTo() : linkTo(name)}
          aria-current={name === current ? 'page' : undefined}
        >
          <Icon name={name} />
          <span>{t.screens[name]}</span>
          {(name === 'cart' || name === 'panel') && counts[name] > 0 && <span className="count">{counts[name]}</span>}
        </a>
      ))}
    </nav>
  );
}

/** Leads to the account. */
function UserName({ userId, ownerId }: { userId: string; ownerId: string | undefined }) {
  const t = useTranslations().acting;
  const text = ownerId === undefined ? userId : t.user(userId, ownerId);
  return (
    <a className={ownerId === undefined ? 'user-name' : 'user-name acting'} href={linkTo('account')} title={text}>
      {text}
    </a>
  );
}

function Preferences() {
  const t = useTranslations();
  return (
    <>
      <select
        aria-label={t.language}
        value={useStore(language)}
        onChange={({ target }) => language.set(target.value as Language)}
      >
        <option value="en">English</option>
        <option value="zh">中文</option>
      </select>
      <select aria-label={t.theme} value={useStore(theme)} onChange={({ target }) => theme.set(target.value as Theme)}>
        <option value="system">{t.themes.system}</option>
        <option value="light">{t.themes.light}</option>
        <option value="dark">{t.themes.dark}</option>
      </select>
    </>
  );
}
