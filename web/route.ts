import { Store, useStore } from './store.js';

/** The current route: `#/orders/0199…?status=paid` has the segments `orders`, `0199…` and the query `status`. */
export interface Route {
  /** The hash that the route was parsed from. */
  hash: string;
  segments: string[];
  query: URLSearchParams;
}

/** Former names of screens, so that saved links keep working. */
const renamedScreens: ReadonlyMap<string, string> = new Map([['enter', 'login']]);

/** Of the login page's query: the route to return to, without its `#/`. */
const RETURN_TO = 'to';

const route = new Store<Route>(parseLocation());
addEventListener('hashchange', () => {
  route.set(parseLocation());
  scrollTo(0, 0);
  // The followed link has unmounted: move focus, so that keyboards and screen readers start at the new content.
  document.getElementById('main')?.focus({ preventScroll: true });
});

export function useRoute(): Route {
  return useStore(route);
}

/** Reads the location itself: after an await, the store may be a `hashchange` event behind. */
export function isOnScreen(screen: string): boolean {
  return parseLocation().segments[0] === screen;
}

/** The hash of a route, for an `href`. Segments are user-chosen ids, so they are percent-encoded. */
export function linkTo(...segments: string[]): string {
  return `#/${segments.map(encodeURIComponent).join('/')}`;
}

export function navigate(...segments: string[]): void {
  location.hash = linkTo(...segments);
}

/** The login page's link, with the screen to return to: the current one, or the one that led to the login page. */
export function useLoginLink(): string {
  const { hash, segments, query } = useRoute();
  const target = segments[0] === 'login' ? (query.get(RETURN_TO) ?? '') : hash.replace(/^#\/?/, '');
  return target === '' ? linkTo('login') : `${linkTo('login')}?${new URLSearchParams({ [RETURN_TO]: target })}`;
}

/** Leaves the login page for the screen that led to it; the browser's back button skips the login page. */
export function returnFromLogin(): void {
  const { segments, query } = parseLocation();
  if (segments[0] === 'login') location.replace(`#/${query.get(RETURN_TO) ?? ''}`);
}

/** Replaces the query of the current route without adding a history entry. Empty values are left out. */
export function setQuery(query: Record<string, string>): void {
  const { hash, segments } = route.get();
  // A link was followed and its `hashchange` event is still pending: do not undo the navigation.
  if (location.hash !== hash) return;
  const params = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  history.replaceState(null, '', params.size > 0 ? `${linkTo(...segments)}?${params}` : linkTo(...segments));
  route.set(parseLocation());
}

function parseLocation(): Route {
  const { hash } = location;
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [screen = '', ...rest] = path.split('/').filter(Boolean).map(decode);
  const segments = screen === '' ? [] : [renamedScreens.get(screen) ?? screen, ...rest];
  return { hash, segments, query: new URLSearchParams(query) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
