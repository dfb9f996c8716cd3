import { useState } from 'react';
import { markSeen, sound } from '../bell.js';
import { Icon } from '../components/icon.js';
import { PushSwitch } from '../components/push.switch.js';
import { useTranslations } from '../i18n/language.js';
import { linkTo } from '../route.js';
import { useStore } from '../store.js';
import { unseen, unseenOf } from '../unseen.js';

/** The count of unseen paid orders, and the settings of the bell. */
export function Bell() {
  const t = useTranslations().panel;
  const count = unseenOf(useStore(unseen)).length;
  const isSoundOn = useStore(sound);
  return (
    <div className="bell">
      <span role="status" className={count > 0 ? 'ringing' : 'quiet'}>
        <Icon name="bell" />
        {count > 0 ? <a href={`${linkTo('panel', 'orders')}?view=new`}>{t.bell(count)}</a> : t.bell(count)}
      </span>
      {count > 0 && (
        <button type="button" onClick={() => markSeen()}>
          {t.markSeen}
        </button>
      )}
      <button type="button" className="quiet-button" aria-pressed={isSoundOn} onClick={() => sound.set(!isSoundOn)}>
        {t.sound}: {isSoundOn ? t.on : t.off}
      </button>
      <Notifications />
      <PushSwitch />
    </div>
  );
}

/** Asks for the browser's permission when pressed; hidden once it was granted or denied. */
function Notifications() {
  const t = useTranslations().panel;
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
      {t.notify}: {t.off}
    </button>
  );
}
