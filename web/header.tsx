import { unseen, unseenOf } from './bell.js';
import { cart, countOf } from './cart.js';
import { logOut } from './hub.js';
import { LineState } from './line.js';
import { Icon } from './parts/icon.js';
import { to, usePlace } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { type Theme, theme } from './theme.js';
import { type Language, language, useWords } from './words/words.js';

const screens = ['shop', 'cart', 'orders', 'wallet', 'panel'] as const;

export function Header() {
  const words = useWords();
  const who = useStore(session);
  return (
    <header className="top">
      <a className="brand" href={to()} aria-label={words.hub}>
        <Icon name="seal" />
        <span>{words.hub}</span>
      </a>
      <Screens />
      <div className="tools">
        <LineState />
        <Choices />
        {who ? (
          <>
            <span className="who">{who.userId}</span>
            <button type="button" className="quiet-button" onClick={logOut}>
              {words.enter.logout}
            </button>
          </>
        ) : (
          <a className="button small" href={to('enter')}>
            {words.enter.login}
          </a>
        )}
      </div>
    </header>
  );
}

function Screens() {
  const words = useWords();
  const { steps } = usePlace();
  const counts = { cart: countOf(useStore(cart)), panel: unseenOf(useStore(unseen)).length };
  const [step = 'shop'] = steps;
  const here = step === 'book' || step === 'store' ? 'shop' : step;
  return (
    <nav className="screens" aria-label={words.screens.main}>
      {screens.map((screen) => (
        <a
          key={screen}
          href={screen === 'shop' ? to() : to(screen)}
          aria-current={screen === here ? 'page' : undefined}
        >
          <Icon name={screen} />
          <span>{words.screens[screen]}</span>
          {(screen === 'cart' || screen === 'panel') && counts[screen] > 0 && (
            <span className="count">{counts[screen]}</span>
          )}
        </a>
      ))}
    </nav>
  );
}

function Choices() {
  const words = useWords();
  return (
    <>
      <select
        aria-label={words.language}
        value={useStore(language)}
        onChange={({ target }) => language.set(target.value as Language)}
      >
        <option value="en">English</option>
        <option value="zh">中文</option>
      </select>
      <select
        aria-label={words.theme}
        value={useStore(theme)}
        onChange={({ target }) => theme.set(target.value as Theme)}
      >
        <option value="system">{words.themes.system}</option>
        <option value="light">{words.themes.light}</option>
        <option value="dark">{words.themes.dark}</option>
      </select>
    </>
  );
}
