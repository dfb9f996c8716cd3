import { useEffect, useRef } from 'react';
import { persistedStore, useStore } from '../store.js';

/** Can be switched off: single keys get in the way of those who dictate, or have keys of their own. */
export const shortcuts = persistedStore('shortcuts', true);

export type DeskKeys = Record<string, () => void>;

/** Calls the function of a key pressed anywhere on the page, except where somebody types or a dialog is open. */
export function useDeskKeys(keys: DeskKeys): void {
  const isOn = useStore(shortcuts);
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!isOn) return;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const { target } = event;
      if (isTypedInto(target) || document.querySelector('dialog[open]')) return;
      // A focused control does what it always does.
      if (event.key === 'Enter' && target instanceof Element && target.closest('a, button, summary')) return;
      const act = latest.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [isOn]);
}

function isTypedInto(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' && target.type !== 'radio';
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
