import { useState } from 'react';
import { markSeen, sound, unseen, unseenOf } from '../bell.js';
import { Icon } from '../parts/icon.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';

/** How many paid orders wait to be looked at, and how the seller wants to be called. */
export function Bell() {
  const words = useWords().panel;
  const count = unseenOf(useStore(unseen)).length;
  const loud = useStore(sound);
  return (
    <div className="bell">
      <span role="status" className={count > 0 ? 'ringing' : 'quiet'}>
        <Icon name="bell" />
        {words.bell(count)}
      </span>
      {count > 0 && (
        <button type="button" onClick={() => markSeen()}>
          {words.seen}
        </button>
      )}
      <button type="button" className="quiet-button" aria-pressed={loud} onClick={() => sound.set(!loud)}>
        {words.sound}: {loud ? words.on : words.off}
      </button>
      <Notifications />
    </div>
  );
}

/** Asked for only when pressed; gone once the browser has been told yes or no. */
function Notifications() {
  const words = useWords().panel;
  const [permission, setPermission] = useState(() =>
    'Notification' in globalThis ? Notification.permission : 'denied',
  );
  if (permission !== 'default') return null;
  return (
    <button
      type="button"
      className="quiet-button"
      onClick={async () => setPermission(await Notification.requestPermission())}
    >
      {words.notify}: {words.off}
    </button>
  );
}
