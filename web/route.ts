import { Store, useStore } from './store.js';

/** Where the page is: `#/orders/0199…?status=paid` has the steps `orders`, `0199…` and the query `status`. */
export interface Place {
  /** The address that it was read from. */
  hash: string;
  steps: string[];
  query: URLSearchParams;
}

const place = new Store<Place>(read());
addEventListener('hashchange', () => {
  place.set(read());
  scrollTo(0, 0);
  // The link that was followed is gone: who hears the page, or goes by the keyboard, begins where the new one begins.
  document.getElementById('main')?.focus({ preventScroll: true });
});

export function usePlace(): Place {
  return useStore(place);
}

/** Whether the page is still on a screen, for who has waited for an answer there. */
export function isOn(screen: string): boolean {
  return read().steps[0] === screen;
}

/** The address of a place, for a link. Steps are ids that people chose: anything may be in them. */
export function to(...steps: string[]): string {
  return `#/${steps.map(encodeURIComponent).join('/')}`;
}

export function go(...steps: string[]): void {
  location.hash = to(...steps);
}

/** Changes the query of the place where the page is, without a step to go back to. */
export function setQuery(query: Record<string, string>): void {
  const { hash, steps } = place.get();
  // A link was followed already, of which the page hears a moment later: that must not be undone.
  if (location.hash !== hash) return;
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  history.replaceState(null, '', given.size > 0 ? `${to(...steps)}?${given}` : to(...steps));
  place.set(read());
}

function read(): Place {
  const { hash } = location;
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { hash, steps: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
