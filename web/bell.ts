import { SEEN_ORDERS_MAX } from '../src/contract/staff.js';
import { hub, subscribe } from './hub.js';
import { translations } from './i18n/language.js';
import { orderName, ordersOf } from './orders.js';
import { accountOf, session } from './session.js';
import { persistedStore } from './store.js';
import { unseen, unseenOf } from './unseen.js';

const RING_INTERVAL_MS = 10_000;
const TONES_HZ = [880, 1_174];
const TONE_SECONDS = 0.18;
const VOLUME = 0.15;

export const sound = persistedStore<boolean>('sound', true);

let audio: AudioContext | undefined;
let ringTimer: ReturnType<typeof setInterval> | undefined;

/** Marks some of the unseen orders as seen, or all of them: the shop's other panels stop ringing, and the buyers read it. */
export function markSeen(orderIds: readonly string[] = unseenOf(unseen.get())): void {
  sendSeen(stopRinging(orderIds));
}

/** Marks orders as seen on this device alone: what is done with them says the rest. Returns those that rang. */
export function stopRinging(orderIds: readonly string[]): string[] {
  const seen = new Set(orderIds);
  const before = unseenOf(unseen.get());
  const rang = before.filter((orderId) => seen.has(orderId));
  if (rang.length === 0) return rang;
  unseen.set({ userId: accountOf(session.get()), orderIds: before.filter((orderId) => !seen.has(orderId)) });
  return rang;
}

/** A member of the staff without the right to is refused, and has looked at them all the same. */
export function sendSeen(orderIds: readonly string[]): void {
  for (let start = 0; start < orderIds.length; start += SEEN_ORDERS_MAX) {
    hub()
      .seen({ orderIds: orderIds.slice(start, start + SEEN_ORDERS_MAX) })
      .catch(() => undefined);
  }
}

/** Rings for each paid order, repeatedly until the seller has looked at it. */
export function startBell(): void {
  subscribe('order', ({ role, orderId, status, previous, command }) => {
    if (role !== 'seller') return;
    const unseenIds = unseenOf(unseen.get());
    if (status !== 'paid' || command === 'seen') return void stopRinging([orderId]);
    if (previous === status || unseenIds.includes(orderId)) return;
    unseen.set({ userId: accountOf(session.get()), orderIds: [...unseenIds, orderId] });
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
  const order = ordersOf.seller.byId.get().get(orderId) ?? { number: null, orderId };
  new Notification(t.panel.notifyTitle, { body: t.orders.order(orderName(order)), tag: orderId });
}
