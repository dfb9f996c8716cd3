import { hear } from './hub.js';
import { shortId } from './orders.js';
import { session } from './session.js';
import { keptStore } from './store.js';
import { words } from './words/words.js';

const RING_AGAIN_MS = 10_000;
/** More than that says the same: very many. */
const UNSEEN_MAX = 200;
const TONES_HZ = [880, 1_174];
const TONE_SECONDS = 0.18;
const LOUDNESS = 0.15;

interface Unseen {
  userId: string;
  orderIds: string[];
}

/** The paid orders that the seller has not looked at yet. Kept: a page that is loaded anew goes on ringing. */
export const unseen = keptStore<Unseen>('unseen', { userId: '', orderIds: [] });
export const sound = keptStore<boolean>('sound', true);

let audio: AudioContext | undefined;
let ringing: ReturnType<typeof setInterval> | undefined;

export function unseenOf({ userId, orderIds }: Unseen): string[] {
  return userId === session.get()?.userId ? orderIds : [];
}

export function markSeen(orderId?: string): void {
  const left = orderId === undefined ? [] : unseenOf(unseen.get()).filter((other) => other !== orderId);
  unseen.set({ userId: session.get()?.userId ?? '', orderIds: left });
}

/** Rings for each order that is paid, again and again until the seller has looked. */
export function startBell(): void {
  hear('order', ({ role, orderId, status }) => {
    if (role !== 'seller') return;
    const waiting = unseenOf(unseen.get());
    if (status !== 'paid') {
      if (waiting.includes(orderId)) markSeen(orderId);
      return;
    }
    if (waiting.includes(orderId)) return;
    const orderIds = [...waiting, orderId].slice(-UNSEEN_MAX);
    unseen.set({ userId: session.get()?.userId ?? '', orderIds });
    notify(orderId);
  });
  unseen.subscribe(ringWhileUnseen);
  session.subscribe(ringWhileUnseen);
  // Browsers let a page sound only after somebody has touched it.
  for (const touched of ['pointerdown', 'keydown']) addEventListener(touched, () => void audio?.resume());
  ringWhileUnseen();
}

function ringWhileUnseen(): void {
  const waiting = unseenOf(unseen.get()).length > 0;
  if (waiting && ringing === undefined) {
    ring();
    ringing = setInterval(ring, RING_AGAIN_MS);
  }
  if (!waiting) {
    clearInterval(ringing);
    ringing = undefined;
  }
}

function ring(): void {
  if (!sound.get()) return;
  audio ??= new AudioContext();
  if (audio.state !== 'running') return;
  let at = audio.currentTime;
  for (const hz of TONES_HZ) {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = hz;
    loudness.gain.setValueAtTime(LOUDNESS, at);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + TONE_SECONDS * 2);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + TONE_SECONDS * 2);
    at += TONE_SECONDS;
  }
}

function notify(orderId: string): void {
  if (!document.hidden || !('Notification' in globalThis) || Notification.permission !== 'granted') return;
  new Notification(words().panel.notifyTitle, { body: words().orders.order(shortId(orderId)), tag: orderId });
}
