import { noLongerFor } from '../hub.js';
import { useDeskTexts } from '../i18n/desk.js';
import { session, workFor } from '../session.js';
import { useStore } from '../store.js';
import { useTeam } from './team.js';

/** For whom the user works: shown to members of a seller's staff. */
export function WorkFor() {
  const t = useDeskTexts().team;
  const { memberships } = useTeam();
  const user = useStore(session);
  if (!user || (memberships.length === 0 && user.for === undefined)) return null;
  const owners = new Set([...memberships.map(({ ownerId }) => ownerId), ...(user.for === undefined ? [] : [user.for])]);
  return (
    <select
      aria-label={t.workFor}
      value={user.for ?? ''}
      onChange={({ target }) => workFor(target.value === '' ? undefined : target.value)}
    >
      <option value="">{t.myself(user.userId)}</option>
      {[...owners].map((ownerId) => (
        <option key={ownerId} value={ownerId}>
          {t.for(ownerId)}
        </option>
      ))}
    </select>
  );
}

/** For members of a staff without a store of their own: what most of them come for. */
export function ChooseSeller() {
  const t = useDeskTexts().team;
  const { memberships } = useTeam();
  if (memberships.length === 0) return null;
  return (
    <section className="card choose-seller">
      <h1>{t.choose}</h1>
      <p className="actions">
        {memberships.map(({ ownerId }) => (
          <button key={ownerId} type="button" onClick={() => workFor(ownerId)}>
            {t.for(ownerId)}
          </button>
        ))}
      </p>
    </section>
  );
}

/** Says that a seller has removed the user from the staff. */
export function NoLongerFor() {
  const t = useDeskTexts().team;
  const ownerId = useStore(noLongerFor);
  return (
    <div role="status">
      {ownerId !== undefined && (
        <p className="card notice">
          {t.removed(ownerId)}{' '}
          <button type="button" className="quiet-button" onClick={() => noLongerFor.set(undefined)}>
            {t.dismiss}
          </button>
        </p>
      )}
    </div>
  );
}
