import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.js';

/** Shown in place of an empty list, with what the user can do next. */
export function EmptyState({ icon, children }: { icon: IconName; children: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} />
      {children}
    </div>
  );
}
