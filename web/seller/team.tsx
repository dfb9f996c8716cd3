import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { PAGE_LIMIT_MAX } from '../../src/contract/fields.js';
import { type Right, rights } from '../../src/contract/rights.js';
import type { MemberOfView } from '../../src/contract/staff.js';
import { useRequest } from '../../src/react/use.request.js';
import { request } from '../hub.js';
import { readAll } from '../pages.js';
import { identityOf, session } from '../session.js';
import { useStore } from '../store.js';

interface Team {
  /** The seller is not the user, who works for it. */
  isMember: boolean;
  /** The seller has other people to work with. */
  hasStaff: boolean;
  memberships: readonly MemberOfView[];
  /** What the user may do here. */
  rights: ReadonlySet<Right>;
  reload: () => void;
}

const ALL_RIGHTS: ReadonlySet<Right> = new Set(rights);
const ALONE: Team = { isMember: false, hasStaff: false, memberships: [], rights: ALL_RIGHTS, reload: () => undefined };
const TeamContext = createContext(ALONE);

/** Who works in this panel. Until that is known, the user is taken for alone, with all rights: the hub refuses what is too much. */
export function useTeam(): Team {
  return useContext(TeamContext);
}

export function TeamProvider({ children }: { children: ReactNode }) {
  const user = useStore(session);
  const identity = identityOf(user);
  const ownerId = user?.for;
  const { data: memberships } = useRequest(`memberships ${identity}`, () =>
    readAll((after) => request('staffOf', { limit: PAGE_LIMIT_MAX, ...after })),
  );
  const { data: hasMembers = false, reload } = useRequest(`staff ${identity}`, async () => {
    return ownerId !== undefined || (await request('staff', { limit: 1 })).items.length > 0;
  });
  const team = useMemo(() => {
    const here = memberships?.find((membership) => membership.ownerId === ownerId);
    return {
      isMember: ownerId !== undefined,
      hasStaff: ownerId !== undefined || hasMembers,
      memberships: memberships ?? [],
      rights: here ? new Set(here.rights) : ALL_RIGHTS,
      reload,
    };
  }, [memberships, hasMembers, ownerId, reload]);
  return <TeamContext value={team}>{children}</TeamContext>;
}
