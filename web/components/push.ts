import { request } from '../hub.js';
import { language } from '../i18n/language.js';
import { pushSubscription } from '../push.subscription.js';
import { session } from '../session.js';

export type PushState = 'unsupported' | 'denied' | 'off' | 'on';

/** Where the service worker finds the language: it can read no other setting of the page. */
const SETTINGS = 'order-hub-settings';

/** Whether this browser is subscribed for the logged-in user. */
export async function pushState(): Promise<PushState> {
  const isSupported = 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;
  if (!isSupported) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const userId = session.get()?.userId;
  const isOurs = userId !== undefined && pushSubscription.get()?.userId === userId;
  const subscription = isOurs ? await (await worker()).pushManager.getSubscription() : null;
  return subscription ? 'on' : 'off';
}

/** Asks for the permission, and subscribes. */
export async function turnPushOn(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== 'granted') return pushState();
  await keepLanguage();
  const { key } = await request('pushKey', {});
  const { pushManager } = await worker();
  // One that was made for another key of the hub, or whose end did not reach the hub, is of no use.
  await (await pushManager.getSubscription())?.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, expirationTime, keys } = subscription.toJSON();
  const body = { endpoint, expirationTime, keys } as Parameters<typeof request<'subscribe'>>[1]['subscription'];
  const { subscriptionId } = await request('subscribe', { subscription: body });
  pushSubscription.set({ subscriptionId, userId: session.get()?.userId ?? '' });
  return 'on';
}

export async function turnPushOff(): Promise<PushState> {
  const known = pushSubscription.get();
  pushSubscription.set(null);
  await (await (await worker()).pushManager.getSubscription())?.unsubscribe();
  if (known) await request('unsubscribe', { subscriptionId: known.subscriptionId }).catch(ignoreUnknown);
  return pushState();
}

/** The hub deletes a subscription by itself, when the push service says that it has ended. */
function ignoreUnknown(error: unknown): void {
  if ((error as { code?: string }).code !== 'NOT_FOUND') throw error;
}

function worker(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register('./sw.js').then(() => navigator.serviceWorker.ready);
}

async function keepLanguage(): Promise<void> {
  await (await caches.open(SETTINGS)).put('./language', new Response(language.get()));
}
language.subscribe(() => void keepLanguage().catch(() => undefined));
