import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.js';

/** A place where nothing is yet, and what to do about it. */
export function Empty({ icon, children }: { icon: IconName; children: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} />
      {children}
    </div>
  );
}
