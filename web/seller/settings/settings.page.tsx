import '../../style/settings.css';
import type { ComponentType } from 'react';
import type { StoreView } from '../../../src/contract/stores.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { linkTo } from '../../route.js';
import { StoreSettings } from '../store.settings.js';
import { useTeam } from '../team.js';
import { AccountSettings } from './account.js';
import { KeySettings } from './keys.js';
import { StaffSettings } from './staff.js';
import { WebhookSettings } from './webhooks.js';

interface SettingsProps {
  store: StoreView;
  onChanged: () => void;
}

/** Each part of the settings, by its name in the address. */
const parts = {
  store: StoreSettings,
  staff: StaffSettings,
  keys: KeySettings,
  webhooks: WebhookSettings,
  account: AccountSettings,
} as const satisfies Record<string, ComponentType<SettingsProps>>;
type Part = keyof typeof parts;
/** Not the seller's for whom the user works. */
const ownParts: readonly Part[] = ['keys', 'account'];

/** The settings of a store and of the user who keeps it. */
export function Settings({ part, ...props }: SettingsProps & { part: string | undefined }) {
  const t = useSettingsTexts();
  const { rights, isMember } = useTeam();
  const names = (Object.keys(parts) as Part[])
    .filter((name) => name !== 'store' || rights.has('stock'))
    .filter((name) => !isMember || !ownParts.includes(name));
  const current = names.find((name) => name === part) ?? names[0] ?? 'store';
  const Shown = parts[current];
  return (
    <div className="settings">
      <nav className="filters" aria-label={t.title}>
        {names.map((name) => (
          <a
            key={name}
            href={name === 'store' ? linkTo('panel', 'settings') : linkTo('panel', 'settings', name)}
            aria-current={name === current ? 'page' : undefined}
          >
            {t.parts[name]}
          </a>
        ))}
      </nav>
      <Shown {...props} />
    </div>
  );
}
