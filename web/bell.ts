import { subscribe } from './hub.js';
import { translations } from './i18n/language.js';
import { shortId } from './orders.js';
import { session } from './session.js';
import { persistedStore } from './store.js';

const RING_INTERVAL_MS = 10_000;
const TONES_HZ = [880, 1_174];
const TONE_SECONDS = 0.18;
const VOLUME = 0.15;

interface Unseen {
  userId: string;
  orderIds: string[];
}

/** Paid orders that the seller has not looked at yet. Persisted, so that the bell keeps ringing after a page load. */
export const unseen = persistedStore<Unseen>('unseen', { userId: '', orderIds: [] });
export const sound = persistedStore<boolean>('sound', true);

let audio: AudioContext | undefined;
let ringTimer: ReturnType<typeof setInterval> | undefined;

/** The unseen orders of the logged-in user. */
export function unseenOf({ userId, orderIds }: Unseen): string[] {
  return userId === session.get()?.userId ? orderIds : [];
}

/** Marks some orders as seen, or all of them. */
export function markSeen(orderIds?: readonly string[]): void {
  const seen = new Set(orderIds);
  const before = unseenOf(unseen.get());
  const remaining = orderIds === undefined ? [] : before.filter((orderId) => !seen.has(orderId));
  if (remaining.length === before.length) return;
  unseen.set({ userId: session.get()?.userId ?? '', orderIds: remaining });
}

/** Rings for each paid order, repeatedly until the seller has looked at it. */
export function startBell(): void {
  subscribe('order', ({ role, orderId, status, previous }) => {
    if (role !== 'seller') return;
    const unseenIds = unseenOf(unseen.get());
    if (status !== 'paid') {
      if (unseenIds.includes(orderId)) markSeen([orderId]);
      return;
    }
    if (previous === status || unseenIds.includes(orderId)) return;
    unseen.set({ userId: session.get()?.userId ?? '', orderIds: [...unseenIds, orderId] });
    notify(orderId);
  });
  unseen.subscribe(ringWhileUnseen);
  session.subscribe(ringWhileUnseen);
  // Browsers allow audio only after a user gesture.
  for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, () => void audio?.resume());
  ringWhileUnseen();
}

function ringWhileUnseen(): void {
  const hasUnseen = unseenOf(unseen.get()).length > 0;
  if (hasUnseen && ringTimer === undefined) {
    ring();
    ringTimer = setInterval(ring, RING_INTERVAL_MS);
  }
  if (!hasUnseen) {
    clearInterval(ringTimer);
    ringTimer = undefined;
  }
}

function ring(): void {
  if (!sound.get()) return;
  audio ??= new AudioContext();
  if (audio.state !== 'running') return;
  let start = audio.currentTime;
  for (const hz of TONES_HZ) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = hz;
    volume.gain.setValueAtTime(VOLUME, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + TONE_SECONDS * 2);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + TONE_SECONDS * 2);
    start += TONE_SECONDS;
  }
}

function notify(orderId: string): void {
  if (!document.hidden || !('Notification' in globalThis) || Notification.permission !== 'granted') return;
  const t = translations();
  new Notification(t.panel.notifyTitle, { body: t.orders.order(shortId(orderId)), tag: orderId });
}
