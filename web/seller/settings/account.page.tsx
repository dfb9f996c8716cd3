import '../../style/settings.css';
import { useSettingsTexts } from '../../i18n/settings.js';
import { session } from '../../session.js';
import { useStore } from '../../store.js';
import { AccountSettings } from './account.js';
import { KeySettings } from './keys.js';

/** The settings of a user who need not sell anything. */
export function AccountPage() {
  const t = useSettingsTexts();
  const user = useStore(session);
  return (
    <>
      <div className="page-head">
        <h1>{t.account(user?.userId ?? '')}</h1>
      </div>
      <div className="stack">
        <AccountSettings />
        <KeySettings />
      </div>
    </>
  );
}
